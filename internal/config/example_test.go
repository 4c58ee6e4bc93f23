package config_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"candor/internal/config"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

const exampleFile = "../../examples/candor.yaml"

func TestExampleFileIsCurrent(t *testing.T) {
	if *update {
		if err := os.WriteFile(exampleFile, []byte(config.Example()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Example(), string(got)); diff != "" {
		t.Errorf("%s is not current; go test ./internal/config -update writes it (-want +got):\n%s", exampleFile, diff)
	}
}

func TestExampleFileKeepsTheSchema(t *testing.T) {
	resolved, err := config.Schema().Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(config.Example()), &doc); err != nil {
		t.Fatal(err)
	}
	if err := resolved.Validate(doc); err != nil {
		t.Errorf("example: %v", err)
	}
	for _, bad := range []string{"stat: x", "log: {level: loud}", "lease: 5", "worker: {slots: -1}", "worker: {classes: [gpu]}", "retention: {size: much}"} {
		var doc map[string]any
		if err := yaml.Unmarshal([]byte(bad), &doc); err != nil {
			t.Fatal(err)
		}
		if resolved.Validate(doc) == nil {
			t.Errorf("the schema accepts %q", bad)
		}
	}
}

func TestExampleFileHasTheDefaults(t *testing.T) {
	bare, full := newMachine(t), newMachine(t)
	full.Home = bare.Home
	full.write(t, full.project(), config.Example())
	a, b := bare.load(t), full.load(t)
	if changes := a.Changes(b); len(changes) > 0 {
		t.Errorf("the example differs from the defaults: %+v", changes)
	}
	for _, e := range b.Entries() {
		if !strings.HasPrefix(e.Origin.String(), full.project()) {
			t.Errorf("%s is not in the example", e.Key)
		}
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	env := map[string]string{}
	for _, k := range config.Keys() {
		if !strings.HasSuffix(k.Doc, ".") {
			t.Errorf("%s: its documentation %q is no sentence", k.Name, k.Doc)
		}
		if other, twice := env[k.Env]; twice {
			t.Errorf("%s and %s share $%s", k.Name, other, k.Env)
		}
		env[k.Env] = k.Name
	}
	// Tasks get these of their worker; a candor called by a task must not take them for settings.
	for _, name := range []string{"CANDOR_PLAN_ID", "CANDOR_TASK_ID", "CANDOR_ATTEMPT", "CANDOR_WORKER", "CANDOR_GPU_UUID", "CANDOR_GPU_INDEX", "CANDOR_WORK_DIR", "CANDOR_OUTPUT_DIR", "CANDOR_MODEL_URL", "CANDOR_PROGRESS_FILE"} {
		if key, taken := env[name]; taken {
			t.Errorf("$%s is given to tasks and sets %s", name, key)
		}
	}
}
