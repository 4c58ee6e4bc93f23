//go:build linux || darwin

package worker

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"candor"
)

func TestManifests(t *testing.T) {
	many := "[" + strings.Repeat("1,", candor.MaxItems) + "1]"
	cases := map[string]struct {
		doc, path string
		items     []string
		code      candor.ReasonCode
		text      string // a part
	}{
		"document":       {doc: ` [1, "two", {"a" : 1}] `, items: []string{"1", `"two"`, `{"a":1}`}},
		"path":           {doc: `{"data":{"files":["a"]}}`, path: "data.files", items: []string{`"a"`}},
		"byte order":     {doc: "\xef\xbb\xbf[1]", items: []string{"1"}},
		"large numbers":  {doc: `[12345678901234567890]`, items: []string{"12345678901234567890"}},
		"none":           {doc: `{"files":[]}`, path: "files", items: []string{}},
		"a number":       {doc: `{"files":7}`, path: "files", code: candor.ReasonManifestBad, text: "path files: a number (7), not a list"},
		"a text":         {doc: `"x"`, code: candor.ReasonManifestBad, text: `the document: a text ("x"), not a list`},
		"null":           {doc: `{"files":null}`, path: "files", code: candor.ReasonManifestBad, text: "path files: null, not a list"},
		"no such key":    {doc: `{"file":[]}`, path: "files", code: candor.ReasonManifestBad, text: `no key "files" in the document`},
		"through a list": {doc: `{"a":[{"b":[]}]}`, path: "a.b", code: candor.ReasonManifestBad, text: "a is a list, not an object"},
		"broken":         {doc: "{\n \"files\": [1,\n }", path: "files", code: candor.ReasonManifestBad, text: "broken JSON at 3:2: "},
		"two documents":  {doc: "[1]\n[2]", code: candor.ReasonManifestBad, text: "broken JSON at 2:1: "},
		"cut":            {doc: `[1,`, code: candor.ReasonManifestBad, text: "broken JSON at 1:"},
		"empty":          {doc: " \n", code: candor.ReasonManifestBad, text: "is empty, not JSON"},
		"zero byte":      {doc: `["a","b\u0000"]`, code: candor.ReasonManifestBad, text: "item 1: holds a zero byte"},
		"too many":       {doc: many, code: candor.ReasonManifestLarge, text: "the document: 100,001 items, at most 100,000"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "list.json")
			if err := os.WriteFile(file, []byte(c.doc), 0o600); err != nil {
				t.Fatal(err)
			}
			m := candor.Manifest{Step: "scan", Output: "list", Path: c.path}
			got, reason := readManifests(map[string]string{"list": "list.json"}, map[string]string{"list.json": file}, []candor.Manifest{m})
			if c.code != "" {
				if reason == nil || reason.Code != c.code || !strings.HasPrefix(reason.Text, "manifest list.json: ") || !strings.Contains(reason.Text, c.text) {
					t.Fatalf("reason %+v", reason)
				}
				return
			}
			if reason != nil {
				t.Fatalf("reason %+v", reason)
			}
			items := []string{}
			for _, item := range got[m.Key()] {
				items = append(items, string(item))
			}
			if diff := cmp.Diff(c.items, items); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzManifest(f *testing.F) {
	f.Add(`{"a":{"b":[1,{"c":"d"}]}}`, "a.b")
	f.Add("{\n\"a\":", "a")
	f.Fuzz(func(t *testing.T, doc, path string) {
		file := filepath.Join(t.TempDir(), "list.json")
		if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
		items, reason := readManifest(file, "list.json", path)
		if (items == nil) == (reason == nil) {
			t.Fatalf("items %v, reason %v", items, reason)
		}
		for _, item := range items {
			if !json.Valid(item) || candor.ValidItem(item) != nil {
				t.Errorf("item %q", item)
			}
		}
	})
}

func ended(t *testing.T, batch string, lease int64, content string) (*attempt, map[string]string) {
	t.Helper()
	work := t.TempDir()
	file := filepath.Join(work, "out")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return &attempt{Assignment: candor.Assignment{Lease: lease, Index: -1},
		spec: &candor.StepSpec{BatchDir: batch, Step: candor.Step{Name: "step"}}}, map[string]string{"out": file}
}

// Outputs may be anybody's secrets: where nobody has made the folder of all
// batches, it is this user's alone.
func TestOutputsAreNotForOthers(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	batch := filepath.Join(state, "batches", "b")
	a, found := ended(t, batch, 1, "x")
	if err := publish(a, found); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{state, filepath.Dir(batch)} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
	if err := os.Chmod(state, 0o755); err != nil {
		t.Fatal(err)
	}
	if a, found = ended(t, batch, 2, "x"); publish(a, found) != nil {
		t.Error("not published again")
	}
	if info, err := os.Stat(state); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("a mode that somebody chose became %v, %v", info.Mode(), err)
	}
}

func TestTheNewerLeaseWins(t *testing.T) {
	batch := t.TempDir()
	steps := []struct {
		lease   int64
		content string
		err     error
		there   string
	}{
		{5, "five", nil, "five"},
		{4, "ghost", errNewer, "five"},
		{5, "five again", nil, "five again"},
		{9, "nine", nil, "nine"},
		{5, "ghost", errNewer, "nine"},
	}
	for _, s := range steps {
		a, found := ended(t, batch, s.lease, s.content)
		if err := publish(a, found); !errors.Is(err, s.err) {
			t.Fatalf("lease %d: %v", s.lease, err)
		}
		if got := read(t, filepath.Join(batch, "step", "out")); got != s.there {
			t.Errorf("after lease %d: %q", s.lease, got)
		}
	}
	left, _ := filepath.Glob(filepath.Join(batch, ".step*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWhoseFaultAMoveIs(t *testing.T) {
	cases := map[string]struct {
		err  error
		host bool
	}{
		"the task's file":    {ofTheTask{&os.LinkError{Op: "rename", Err: syscall.EACCES}}, false},
		"gone meanwhile":     {errors.Join(ofTheTask{os.ErrNotExist}, nil), false},
		"disk full":          {ofTheTask{&os.PathError{Op: "write", Err: syscall.ENOSPC}}, true},
		"disk broken":        {errors.Join(ofTheTask{&os.PathError{Op: "sync", Err: syscall.EIO}}, nil), true},
		"read-only":          {ofTheTask{&os.PathError{Op: "open", Err: syscall.EROFS}}, true},
		"the batch's folder": {&os.PathError{Op: "mkdir", Err: syscall.EACCES}, true},
	}
	for name, c := range cases {
		if got := hostFault(c.err); got != c.host {
			t.Errorf("%s: the host's is %v", name, got)
		}
	}
}

func TestAStepNameCannotLeaveTheBatch(t *testing.T) {
	a, found := ended(t, t.TempDir(), 1, "x")
	a.spec.Step.Name = "../elsewhere"
	if err := publish(a, found); err == nil {
		t.Error("published")
	}
}

func TestReplaceWithoutExchange(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "f"), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := swap(filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, filepath.Join(dir, "b", "f")); got != "a" {
		t.Errorf("got %q", got)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left %v", entries)
	}
}

func TestOutputsAcrossFileSystemsAreCopied(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "x")
	if err := os.MkdirAll(filepath.Join(from, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from, "d", "f"), []byte("text"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := copyOver(from, to); err != nil {
		t.Fatal(err)
	}
	if got := read(t, filepath.Join(to, "d", "f")); got != "text" {
		t.Errorf("got %q", got)
	}
	if err := copyOver(filepath.Join(from, "d", "f"), to+".f"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(to + ".f"); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info, err)
	}
}
