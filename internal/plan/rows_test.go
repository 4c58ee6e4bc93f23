package plan

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor"

	"github.com/google/go-cmp/cmp"
)

// rowsOf reads a text as the file of rows of that name.
func rowsOf(t *testing.T, name, text string) rows {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return readRows(path, name)
}

func TestRowsAreByteExact(t *testing.T) {
	tests := map[string]struct{ name, text, want string }{
		"lines":      {"a.jsonl", "{\"a\": 1.50}\r\n\r\n \"<\\u00e9>\" \nnull\n", "{\"a\": 1.50}|\"<\\u00e9>\"|null"},
		"ndjson":     {"a.NDJSON", "1\n2", "1|2"},
		"no lines":   {"a.jsonl", "\n \n", ""},
		"mark":       {"a.jsonl", "\ufeff[1]", "[1]"},
		"separator":  {"a.jsonl", "\"a\u2028b\"\n", "\"a\u2028b\""},
		"csv":        {"a.csv", "a,b\n1,2\n", `{"a":"1","b":"2"}`},
		"only names": {"a.csv", "a,b\n", ""},
		"no text":    {"a.csv", "", ""},
		"no end":     {"a.csv", "a\n1", `{"a":"1"}`},
		"quotes":     {"a.csv", "a,b\r\n\"x, \"\"y\"\"\",\"1\r\n2\n3\"\r\n", `{"a":"x, \"y\"","b":"1\r\n2\n3"}`},
		"blanks":     {"a.csv", "a, b\n\n 1 ,\n", `{"a":" 1 "," b":""}`},
		"return":     {"a.csv", "a\nx\ry\n", `{"a":"x\ry"}`},
		"odd names":  {"a.csv", "\"a\"\"b\",<c>\n1,2", `{"a\"b":"1","<c>":"2"}`},
	}
	for name, test := range tests {
		got := rowsOf(t, test.name, test.text)
		if got.failed != nil || len(got.wrong) > 0 {
			t.Errorf("%s: %v, %v", name, got.failed, got.wrong)
		}
		if joined := string(bytes.Join(raws(got.items), []byte("|"))); joined != test.want {
			t.Errorf("%s: %s\nwant %s", name, joined, test.want)
		}
	}
}

func raws(items []json.RawMessage) [][]byte {
	all := make([][]byte, len(items))
	for i, item := range items {
		all[i] = item
	}
	return all
}

func TestRowsThatAreTooMuch(t *testing.T) {
	long := `"` + strings.Repeat("x", candor.MaxItemSize) + `"`
	const forCommands = "a row has 65538 bytes, more than the 65536 that an item may have where a command gets it"
	if got := rowsOf(t, "a.jsonl", "1\n"+long+"\n"); len(got.wrong) > 0 || len(got.long) != 1 || got.long[0].Line != 2 || got.long[0].Message != forCommands {
		t.Errorf("a row too long for a command: %v, %v", got.wrong, got.long)
	}
	long = `"` + strings.Repeat("x", candor.MaxRowSize) + `"`
	if got := rowsOf(t, "a.jsonl", "1\n"+long+"\n"); len(got.wrong) != 1 || got.wrong[0].Line != 2 || !strings.Contains(got.wrong[0].Message, "a row has 1048576 bytes, more than the 1048574 that an item may have") {
		t.Errorf("a row too long for anybody: %v", got.wrong)
	}
	if got := rowsOf(t, "a.jsonl", strings.Repeat("no\n", 1000)); len(got.wrong) != maxWrongRows {
		t.Errorf("wrong all over: %d problems", len(got.wrong))
	}
	field := strings.Repeat("long-name", 1000)
	if got := rowsOf(t, "a.csv", field+"\n"+strings.Repeat("1\n", maxRowBytes/len(field)+1)); got.failed == nil || !strings.Contains(got.failed.Error(), "192 MiB") {
		t.Errorf("small as text and large as JSON: %v", got.failed)
	}
}

func TestRowsInChunksMayBeMoreThanTasks(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rows.jsonl"), bytes.Repeat([]byte("\"0123456789\"\n"), candor.MaxItems+1), 0o644); err != nil {
		t.Fatal(err)
	}
	load := func(task, each string) (*candor.Submission, error) {
		path := filepath.Join(dir, "plan.yaml")
		text := fmt.Sprintf("tasks:\n  a: {%s, foreach: {file: rows.jsonl, %s}}\n", task, each)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return Load(path, nil, Options{})
	}
	const prompt, run = `class: llm, model: m, prompt: "{{ item }}"`, `run: "true"`
	sub, err := load(prompt, "chunk: 10000")
	if err != nil || len(sub.Steps[0].Each.Items) != candor.MaxItems+1 || sub.Steps[0].Each.Tasks() != 11 {
		t.Fatalf("%v", err)
	}
	for _, test := range []struct{ task, each, want string }{
		{prompt, "", "100001 items are more than the 100000"},
		{run, "chunk: 1", "100001 items are more than the 100000"},
		{run, "chunk: 10000", "rows 1 to 10000 are 130001 bytes of JSON, more than the 65536 that the rows of a command's variable may have"},
	} {
		if _, err := load(test.task, test.each); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.want, err)
		}
	}
}

// What a prompt may have as a row is more than a variable can hold, so it is
// refused for commands: with file and line, also where they share it.
func TestRowsOfPromptsMayBeLong(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rows.jsonl"), []byte("1\n\""+strings.Repeat("x", 120_000)+"\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for tasks, want := range map[string]string{
		`a: {class: llm, model: m, prompt: "{{ item }}", foreach: {file: rows.jsonl}}`:                                                      "",
		`a: {class: llm, model: m, prompt: "{{ item }}", foreach: {file: rows.jsonl, chunk: 2}}`:                                            "",
		`a: {run: "true", foreach: {file: rows.jsonl}}`:                                                                                     "rows.jsonl:2:1: a row has 120002 bytes, more than the 65536 that an item may have where a command gets it",
		"a: {class: llm, model: m, prompt: \"{{ item }}\", foreach: {file: rows.jsonl}}\n  b: {run: \"true\", needs: [a], foreach: a}":      "item 1 of a has 120002 bytes",
		"a: {class: llm, model: m, prompt: \"{{ item }}\", foreach: {file: rows.jsonl}}\n  b: {run: \"true\", foreach: {file: rows.jsonl}}": "rows.jsonl:2:1: a row has 120002 bytes",
	} {
		path := filepath.Join(dir, "plan.yaml")
		if err := os.WriteFile(path, []byte("tasks:\n  "+tasks+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path, nil, Options{})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", tasks, err, want)
		}
	}
}

// Where the standard library's reader and ours both read a file, they read the
// same, except for line ends inside quotes, which it changes.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "a\n\"x\"\"y\"\n", "a,b\n\"1\n2\",\n", "a\n\"\n", "a,b\r\n,\r\n", "\"a\"\n1\"\n", "a\n\r\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := rowReader{shown: "f.csv"}
		parseCSV(&r, []byte(text))
		for _, e := range r.wrong {
			if e.Line < 1 || e.Line > strings.Count(text, "\n")+1 || e.Column < 1 {
				t.Errorf("%q: place %d:%d", text, e.Line, e.Column)
			}
		}
		for _, item := range r.items {
			if err := candor.ValidRow(item); err != nil {
				t.Errorf("%q: %s: %v", text, item, err)
			}
		}
		if strings.Contains(text, "\r") || len(r.wrong) > 0 {
			return
		}
		all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatalf("%q: read, though it is not CSV: %v", text, err)
		}
		if len(all) == 0 {
			return
		}
		for i, item := range r.items {
			var got map[string]string
			if err := json.Unmarshal(item, &got); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for j, name := range all[0] {
				want[name] = all[i+1][j]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q: %s", text, diff)
			}
		}
		if len(r.items) != len(all)-1 {
			t.Errorf("%q: %d rows, want %d", text, len(r.items), len(all)-1)
		}
	})
}
