package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor"

	"github.com/google/go-cmp/cmp"
)

const withInputs = `
inputs:
  folder: {type: path, default: docs, description: where}
  who: {}
  n: {type: int, default: 2}
  ratio: {type: number, default: 0.5}
  flag: {type: bool, default: false}
  list: {type: list, default: [a, 1]}
  maybe: {type: path, required: false}
tasks:
  a: {run: "true"}
`

func TestInputsReachCommandsAsVariables(t *testing.T) {
	nasty := "it's $(rm -rf /) `x` \"q\"\n-- {{ inputs.n }}"
	tests := []struct {
		name, given, want string
	}{
		{"who", nasty, nasty},
		{"who", "", ""},
		{"folder", "here/../there", "/caller/there"},
		{"folder", "/abs//x/", "/abs/x"},
		{"n", "-7", "-7"},
		{"n", "+7", "7"},
		{"ratio", "1e3", "1e3"},
		{"ratio", ".5", "0.5"},
		{"flag", "true", "true"},
		{"list", "a, b,c", `["a","b","c"]`},
		{"list", "", "[]"},
		{"list", `[1,"x,y",{"z":"<"}]`, `[1,"x,y",{"z":"<"}]`},
		{"maybe", "x", "/caller/x"},
	}
	path := write(t, withInputs)
	for _, test := range tests {
		in := map[string]string{"who": "w", test.name: test.given}
		sub, err := Load(path, in, Options{Dir: "/caller"})
		if err != nil {
			t.Errorf("%s=%q: %v", test.name, test.given, err)
			continue
		}
		if got := sub.Steps[0].Env[candor.InputEnv(test.name)]; got != test.want {
			t.Errorf("%s=%q: %q, want %q", test.name, test.given, got, test.want)
		}
	}
}

func TestDefaultsOfPathsStartAtThePlan(t *testing.T) {
	path := write(t, withInputs)
	sub, err := Load(path, map[string]string{"who": "w"}, Options{Dir: "/caller"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"INPUT_FOLDER": filepath.Join(filepath.Dir(path), "docs"), "INPUT_WHO": "w", "INPUT_N": "2", "INPUT_RATIO": "0.5",
		"INPUT_FLAG": "false", "INPUT_LIST": `["a",1]`, "INPUT_MAYBE": "",
	}
	if diff := cmp.Diff(want, sub.Steps[0].Env); diff != "" {
		t.Error(diff)
	}
}

func TestWrongInputsAreRefused(t *testing.T) {
	path := write(t, withInputs)
	tests := map[string]struct {
		in   map[string]string
		want string
	}{
		"missing":      {nil, `input who has no default and was not given`},
		"how to give":  {nil, `hint: give it: -i who=…`},
		"unknown":      {map[string]string{"who": "", "foldr": "x"}, "there is no input \"foldr\"\nhint: did you mean \"folder\"?"},
		"not an int":   {map[string]string{"who": "", "n": "many"}, `input n, as given: "many" is not a whole number`},
		"octal":        {map[string]string{"who": "", "n": "010"}, `is not a whole number`},
		"too large":    {map[string]string{"who": "", "n": "9223372036854775808"}, `is not a whole number`},
		"not a number": {map[string]string{"who": "", "ratio": "NaN"}, `"NaN" is not a finite number`},
		"not a bool":   {map[string]string{"who": "", "flag": "yes"}, `neither true nor false`},
		"not a list":   {map[string]string{"who": "", "list": "[1"}, `begins like a JSON list`},
		"no path":      {map[string]string{"who": "", "folder": ""}, `an empty path`},
		"zero byte":    {map[string]string{"who": "a\x00"}, `zero bytes`},
		"not UTF-8":    {map[string]string{"who": "\xff"}, `UTF-8`},
		"very long":    {map[string]string{"who": strings.Repeat("x", candor.MaxArgument+1)}, `at most`},
	}
	for name, test := range tests {
		if _, err := Load(path, test.in, Options{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInputsListsTheDeclarations(t *testing.T) {
	got, err := Inputs(write(t, withInputs))
	if err != nil {
		t.Fatal(err)
	}
	want := []Input{
		{Name: "folder", Type: InputPath, Default: []byte(`"docs"`), Description: "where"},
		{Name: "who", Type: InputString, Required: true},
		{Name: "n", Type: InputInt, Default: []byte("2")},
		{Name: "ratio", Type: InputNumber, Default: []byte("0.5")},
		{Name: "flag", Type: InputBool, Default: []byte("false")},
		{Name: "list", Type: InputList, Default: []byte(`["a",1]`)},
		{Name: "maybe", Type: InputPath},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := Inputs("testdata/wrong/inputs.yaml"); err == nil || !strings.Contains(err.Error(), `"strnig" is not a type`) {
		t.Errorf("wrong inputs: %v", err)
	}
}

// A folder given as an input is data: what looks like a pattern in its name is not one.
func TestAPathIsNoPattern(t *testing.T) {
	dir := t.TempDir()
	odd := filepath.Join(dir, `[a-z]*{x,y}?\`)
	for _, folder := range []string{odd, filepath.Join(dir, "b")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "x.md"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := write(t, `
inputs: {folder: {type: path}, ending: {default: "*.{md,txt}"}}
tasks: {a: {run: "true", foreach: {glob: "{{ inputs.folder }}/{{ inputs.ending }}"}}}
`)
	sub, err := Load(path, map[string]string{"folder": odd}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := sub.Steps[0].Each.Items; len(got) != 1 || string(got[0]) != string(quoted(filepath.Join(odd, "x.md"))) {
		t.Errorf("%s", got)
	}
}
