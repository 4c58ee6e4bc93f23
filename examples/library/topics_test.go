//go:build unix

package library_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"candor"
	"candor/internal/schema"
)

// asked is a passage as the model is asked about it.
type asked struct {
	File int    `json:"file"`
	Name string `json:"name"`
	passage
}

func (l *library) gather() []asked {
	l.t.Helper()
	l.must(l.attempt(l.step("gather", -1), "passages.json", "gather.sh", []string{
		"NEEDS_SCAN_MANIFEST=" + filepath.Join(l.step("scan", -1), "manifest.json"), "NEEDS_PASSAGES_DIR=" + l.step("passages", -1),
	}))
	var all struct{ Passages []asked }
	l.read(filepath.Join(l.step("gather", -1), "passages.json"), &all)
	return all.Passages
}

// say writes what a model said, in chunks of so many, and builds the page.
func (l *library) say(rows []candor.RowResult, chunk int) string {
	l.t.Helper()
	task := 0
	for part := range slices.Chunk(rows, chunk) {
		var lines []byte
		for _, r := range part {
			line, err := json.Marshal(r)
			l.must(err)
			lines = append(append(lines, line...), '\n')
		}
		dir := l.step("topics", task)
		l.must(os.MkdirAll(dir, 0o755))
		l.must(os.WriteFile(filepath.Join(dir, "results.jsonl"), lines, 0o644))
		task++
	}
	return l.index(filepath.Join(l.step("gather", -1), "passages.json"), l.step("topics", -1))
}

// answered is a row of the model's results.
func answered(t *testing.T, a asked, answer any) candor.RowResult {
	t.Helper()
	item, err := json.Marshal(map[string]any{"file": a.File, "name": a.Name, "line": a.Line, "text": a.Text})
	if err != nil {
		t.Fatal(err)
	}
	r := candor.RowResult{Item: item, Model: "tiny:latest"}
	if r.Answer, err = json.Marshal(answer); err != nil {
		t.Fatal(err)
	}
	return r
}

type said struct {
	Topics  []string `json:"topics"`
	Summary string   `json:"summary"`
}

func TestEveryPassageIsGathered(t *testing.T) {
	l := newLibrary(t, nasty())
	files := l.scan()
	var want []asked
	for i, f := range files {
		_, _, found := l.item(i, f)
		for _, p := range found {
			want = append(want, asked{i, f.Name, p})
		}
	}
	if got := l.gather(); len(got) < 20 || !slices.Equal(got, want) {
		t.Errorf("%d passages, want %d:\n%+v", len(got), len(want), got)
	}
}

func TestNothingToAsk(t *testing.T) {
	l := newLibrary(t, map[string]string{"empty.md": ""})
	for i, f := range l.scan() {
		l.item(i, f)
	}
	if got := l.gather(); len(got) > 0 {
		t.Errorf("%+v", got)
	}
	if page := l.say(nil, 1); !strings.Contains(page, "0 of 0 passages</p>") {
		t.Error(page)
	}
}

func TestWithoutAModelThePageSaysHowToGetOne(t *testing.T) {
	l := newLibrary(t, map[string]string{"a.md": "x"})
	for i, f := range l.scan() {
		l.item(i, f)
	}
	if page := l.index(); !strings.Contains(page, "<code>-i model=qwen2.5:1.5b</code>") || strings.Contains(page, "<h2>Topics</h2>") {
		t.Error(page)
	}
}

func TestTopicsStandOnThePage(t *testing.T) {
	l := newLibrary(t, map[string]string{"a.md": "about a", "b.md": "about b", "c.md": "about c"})
	for i, f := range l.scan() {
		l.item(i, f)
	}
	all := l.gather()
	rows := []candor.RowResult{
		answered(t, all[0], said{[]string{"Sea", "Ships & <b>sails</b>"}, "Of the \"sea\".\n\tAnd \u00e9 \U0001F600 \u2028 </script>."}),
		answered(t, all[1], said{[]string{"sea", "ice"}, `C:\new\table \u0041`}),
		answered(t, all[2], nil),
	}
	rows[2].Answer, rows[2].Error = nil, &candor.RowError{Code: "answer.truncated", Text: "the prompt was <cut>"}
	page := l.say(rows, 2)
	for _, want := range []string{
		`3 of 3 passages read by <bdi>tiny:latest</bdi>, 1 without an answer</p>`,
		`<li><b><bdi>Sea</bdi></b> 2 <a href="#f0"><bdi>a.md</bdi></a> <a href="#f1"><bdi>b.md</bdi></a></li>`,
		`<li><b>line 1</b> <bdi>Of the &quot;sea&quot;.  And é 😀 ` + "\u2028" + ` &lt;/script&gt;.</bdi> <i><bdi>Sea</bdi>, <bdi>Ships &amp; &lt;b&gt;sails&lt;/b&gt;</bdi></i></li>`,
		`<bdi>C:\new\table \u0041</bdi>`,
		`no answer: the prompt was &lt;cut&gt;</li>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	last := 0
	for _, part := range []string{`<article id="f0">`, "Of the &quot;sea&quot;", "1 passage</summary>", `<article id="f1">`, "C:\\new", `<article id="f2">`, "no answer"} {
		at := strings.Index(page[last:], part)
		if at < 0 {
			t.Fatalf("%s is missing or out of order:\n%s", part, page)
		}
		last += at
	}
	if strings.Contains(page, "simulated") || strings.Contains(page, "No model was asked") {
		t.Error("a model was asked, and no simulated one")
	}
}

// A chunk without an answer is missing, and that shows; so does a simulation.
func TestWhatIsMissingIsSaid(t *testing.T) {
	l := newLibrary(t, map[string]string{"a.md": strings.Repeat("# heading\n\ntext\n", 10)})
	for i, f := range l.scan() {
		l.item(i, f)
	}
	all := l.gather()
	one := answered(t, all[0], said{[]string{"x"}, "y"})
	one.Simulated = true
	page := l.say([]candor.RowResult{one}, 8)
	if !strings.Contains(page, `1 of 10 passages read by`) || !strings.Contains(page, "The model was <b>simulated</b>") {
		t.Error(page)
	}
}

func TestManyTopicsAreCut(t *testing.T) {
	files := map[string]string{}
	for i := range 8 {
		files[fmt.Sprintf("%d.md", i)] = "text"
	}
	l := newLibrary(t, files)
	for i, f := range l.scan() {
		l.item(i, f)
	}
	var rows []candor.RowResult
	for i, a := range l.gather() {
		topics := []string{"all"}
		for k := range 8 {
			topics = append(topics, fmt.Sprintf("own %d.%d", i, k))
		}
		rows = append(rows, answered(t, a, said{topics, "s"}))
	}
	page := l.say(rows, 3)
	if !strings.Contains(page, "and 25 more</p>") || !strings.Contains(page, "<bdi>4.md</bdi></a> and 3 more</li>") {
		t.Error(page)
	}
}

// What Go writes as JSON, and what servers write, is read as it is.
func TestAnyJSONIsRead(t *testing.T) {
	program := `{ if (parse($0)) printf "%s|%s|%s\n", found["a"], found["l.1.b"], size["l"]; else print "bad" }`
	for text, want := range map[string]string{
		`{"a":"x","l":[1,{"b":"y"}]}`:                         "x|y|2",
		` { "a" : "x\"\\" , "l" : [ [] , { "b" : "\/" } ] } `: `x"\|/|2`,
		`{"l":[{},{"c":[1,2],"b":-1.5e3}],"a":true}`:          "true|-1.5e3|2",
		`{"a":"\ud83d\ude00\u00e9\u20ac\u0041\u0000\ud800x"}`: "😀é€A\ufffd\ufffdx||",
		`{"a":"\\u0041 \\\\"}`:                                `\u0041 \\||`,
		`{"a":"{\"l\":[1]}","a b":{"c,d":"]"}}`:               `{"l":[1]}||`,
		`{"a":"x"`:                                            "bad",
		`{"a":"x}`:                                            "bad",
		`{"a":"x"} y`:                                         "bad",
		`{"a" "x"}`:                                           "bad",
		`{a:"x"}`:                                             "bad",
		``:                                                    "bad",
		`{"a":"` + strings.Repeat(`\\`, 2000) + `","l":[1,2]}`: strings.Repeat(`\`, 2000) + "||2",
	} {
		lines := filepath.Join(t.TempDir(), "text")
		if err := os.WriteFile(lines, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("awk", "-f", "scripts/json.awk", "-f", "scripts/parse.awk", "-f", "-", lines)
		cmd.Stdin = strings.NewReader(program)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSuffix(string(out), "\n"); err != nil || got != want {
			t.Errorf("%q: %q, want %q, %v", text, got, want, err)
		}
	}
}

func TestTheSchemaOfAnswersIsOne(t *testing.T) {
	text, err := os.ReadFile("topics.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if errors, warnings := schema.Problems(text); len(errors)+len(warnings) > 0 {
		t.Errorf("%v %v", errors, warnings)
	}
}
