//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"candor"
)

// TestF49HostileItems: the same names as items of a manifest, where a leading dash
// leads, on every way that an item takes: into the environment, into the arguments,
// through both streams into the log and out again, into outputs, into the record,
// and past a step that gathers all of them.
func TestF49HostileItems(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(2)
	names := append(hostileNames(), "--", "-", "-n", " leading and trailing ", "ends with a newline\n", "\r\n", "${IFS}", "a\x7fb\x1b[31mred", "'; exit 1 #", `\`, `\n`)
	manifest, err := json.Marshal(map[string]any{"files": names})
	if err != nil {
		t.Fatal(err)
	}
	f.write("names.json", string(manifest))
	id := f.submit("hostile", `
		scan: {run: 'cp "$PLAN_DIR/names.json" m.json', outputs: {manifest: m.json}}
		each:
			foreach: {from: scan.manifest, path: files}
			command: [sh, -c, 'printf %s "$1" > argument; printf %s "$ITEM" > variable; printf "out:%s:" "$ITEM"; printf "err:%s:" "$1" >&2', sh, "{{ item }}"]
			outputs: {argument: argument, variable: variable}
		index:
			needs: [each]
			run: |
				for d in "$NEEDS_EACH_DIR"/*/; do cat "$d/argument"; printf '\0'; done > index
			outputs: {index: index}
	`)
	b := f.ends(id)
	if b.Outcome != candor.OutcomeSucceeded || b.Total != len(names)+2 {
		t.Fatalf("%s: %v of %d", b.Outcome, b.Counts, b.Total)
	}
	var listed struct{ Tasks []candor.Task }
	f.candor("ls", id.String(), "--step", "each", "--json").ok().json(&listed)
	if len(listed.Tasks) != len(names) {
		t.Fatalf("%d of %d are listed", len(listed.Tasks), len(names))
	}
	for _, task := range listed.Tasks {
		want := names[task.Index]
		var item string
		if err := json.Unmarshal(task.Item, &item); err != nil || item != want {
			t.Errorf("the record of item %d is %q, want %q (%v)", task.Index, item, want, err)
		}
		for _, out := range []string{"argument", "variable"} {
			if got := f.read(filepath.Join(f.state, "batches", id.String(), "each", fmt.Sprintf("%05d", task.Index), out)); got != want {
				t.Errorf("the %s of %q is %q", out, want, got)
			}
		}
		printed := f.candor("logs", task.ID.String()).ok().out
		for _, stream := range []string{"out:" + want + ":", "err:" + want + ":"} {
			if !strings.Contains(printed, stream) {
				t.Errorf("the log of %q lacks %q: %q", want, stream, printed)
			}
		}
	}
	index := strings.TrimSuffix(f.read(filepath.Join(f.state, "batches", id.String(), "index", "index")), "\x00")
	if got := strings.Split(index, "\x00"); !slices.Equal(got, names) {
		t.Errorf("the index has %q, want %q", got, names)
	}
}

// TestF49NotUTF8: a name that is no text cannot be an item. It is refused with its
// bytes, not passed on as another name.
func TestF49NotUTF8(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.up(1)
	f.write("files/bad\xff", "")
	path := f.plan("glob", `
		each: {foreach: {glob: "files/*"}, run: "true"}
	`)
	f.candor("submit", path).exits(2).says(path+":3:", `bad\xff`, "is not UTF-8", "rename it")
	f.write("m.json", "{\"files\": [\"bad\xff\"]}")
	id := f.submit("manifest", `
		scan: {run: 'cp "$PLAN_DIR/m.json" m.json', outputs: {manifest: m.json}}
		each: {foreach: {from: scan.manifest, path: files}, run: "true"}
	`)
	f.ends(id)
	f.saysWhy(f.task(id, "scan").ID.String(), candor.ReasonManifestBad, candor.MoverYou, "item 0", `bad\xff`)
}
