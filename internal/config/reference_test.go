package config_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"candor/internal/config"
)

const referenceFile = "../../docs/configuration.md"

func TestReferenceIsCurrent(t *testing.T) {
	if *update {
		if err := os.WriteFile(referenceFile, []byte(reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(reference(), string(got)); diff != "" {
		t.Errorf("%s is not current; go test ./internal/config -update writes it (-want +got):\n%s", referenceFile, diff)
	}
}

// reference is docs/configuration.md.
func reference() string {
	var b strings.Builder
	b.WriteString(`# Configuration

Written by ` + "`go test ./internal/config -update`" + ` from the settings themselves; a test keeps it current.

candor runs without a configuration file. The first that speaks of a setting wins:

1. a flag of the command,
2. its ` + "`CANDOR_*`" + ` variable (an empty one counts as not set),
3. ` + "`./candor.yaml`" + `, or in its place the file that ` + "`--config`" + ` or ` + "`$CANDOR_CONFIG`" + ` names,
4. the user's ` + "`$XDG_CONFIG_HOME/candor/config.yaml`" + `, usually in ` + "`~/.config`" + `,
5. the system's ` + "`/etc/candor/config.yaml`" + `,
6. the default.

` + "`candor config show --origin`" + ` prints each value with where it came from. [The example](../examples/candor.yaml)
has every setting with its default, and ` + "`candor schema config`" + ` prints the JSON Schema for editors. Whatever is wrong
is refused with file, line and column; a typo never falls back to a default.

Relative paths in a file start at the file's directory, and ` + "`~/`" + ` is the home directory; those of flags and variables
start at the working directory. Durations have a unit (90s, 10m, 1h30m), sizes may have one (500MB, 2GiB).

On SIGHUP a brain reads its files again and takes up at once what the last column marks; a bad file is refused and the
old settings stay, with a line in the log.

| Key | Variable | Default | Meaning | SIGHUP |
|--|--|--|--|--|
`)
	for _, k := range config.Keys() {
		def, live := "", ""
		if k.Default != "" {
			def = "`" + k.Default + "`"
		}
		if k.Live {
			live = "yes"
		}
		doc := k.Doc
		if k.Enum != nil {
			doc += " One of " + strings.Join(k.Enum, ", ") + "."
			doc = strings.Replace(doc, " One of resource", " Of resource", 1)
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", k.Name, k.Env, def, doc, live)
	}
	return b.String()
}
