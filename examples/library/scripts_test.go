//go:build unix

package library_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

type file struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

type heading struct {
	Line, Level int
	Text        string
}

type passage struct {
	Line, Words int
	Text        string
}

type stats struct {
	Bytes, Lines, Words int
	LongestLine         int  `json:"longest_line"`
	CRLFLines           int  `json:"crlf_lines"`
	Binary              bool `json:"binary"`
}

// library runs the plan's scripts as a worker would, one after the other.
type library struct {
	t      *testing.T
	folder string // the texts
	batch  string // the outputs
	plan   string
}

func newLibrary(t *testing.T, texts map[string]string) *library {
	t.Helper()
	plan, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	l := &library{t: t, folder: filepath.Join(t.TempDir(), `it's <b>"$(x)"`), batch: t.TempDir(), plan: plan}
	if err := os.MkdirAll(l.folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		path := filepath.Join(l.folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// attempt runs a script in a folder of its own, and keeps what it prints in out.
func (l *library) attempt(dir, out, script string, env []string, args ...string) error {
	l.t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		l.t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{filepath.Join(l.plan, "scripts", script)}, args...)...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "PLAN_DIR=" + l.plan, "BATCH_DIR=" + l.batch, "INPUT_FOLDER=" + l.folder, "INPUT_PATTERNS=*.md *.txt"}, env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	printed, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", script, err, stderr.String())
	}
	if out == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, out), printed, 0o644)
}

func (l *library) step(step string, index int) string {
	if index < 0 {
		return filepath.Join(l.batch, step)
	}
	return filepath.Join(l.batch, step, fmt.Sprintf("%05d", index))
}

func (l *library) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *library) read(path string, into any) {
	l.t.Helper()
	text, err := os.ReadFile(path)
	l.must(err)
	if !utf8.Valid(text) || !json.Valid(text) {
		l.t.Fatalf("%s is not JSON: %q", path, text)
	}
	l.must(json.Unmarshal(text, into))
}

func (l *library) scan() []file {
	l.t.Helper()
	l.must(l.attempt(l.step("scan", -1), "manifest.json", "scan.sh", nil))
	var manifest struct{ Files []file }
	l.read(filepath.Join(l.step("scan", -1), "manifest.json"), &manifest)
	return manifest.Files
}

// item runs all that is done for one file, up to its page.
func (l *library) item(index int, f file) (stats, []heading, []passage) {
	l.t.Helper()
	for _, step := range []string{"passages", "stats", "headings"} {
		l.must(l.attempt(l.step(step, index), step+".json", step+".sh", nil, f.Path))
	}
	output := func(step string) string { return filepath.Join(l.step(step, index), step+".json") }
	l.must(l.attempt(l.step("page", index), "", "page.sh", []string{
		"ITEM_NAME=" + f.Name, "ITEM_PATH=" + f.Path, "ITEM_BYTES=" + strconv.FormatInt(f.Bytes, 10), "ITEM_INDEX=" + strconv.Itoa(index),
		"NEEDS_STATS_STATS=" + output("stats"), "NEEDS_HEADINGS_HEADINGS=" + output("headings"), "NEEDS_PASSAGES_PASSAGES=" + output("passages"),
	}))
	var s stats
	var h struct{ Headings []heading }
	var p struct{ Passages []passage }
	l.read(output("stats"), &s)
	l.read(output("headings"), &h)
	l.read(output("passages"), &p)
	return s, h.Headings, p.Passages
}

// index builds the page; asked are the list of what a model was asked and the
// folder with what it said.
func (l *library) index(asked ...string) string {
	l.t.Helper()
	if len(asked) == 0 {
		asked = []string{"", ""}
	}
	l.must(l.attempt(l.step("index", -1), "index.html", "index.sh", []string{
		"NEEDS_STATS_DIR=" + l.step("stats", -1), "NEEDS_PAGE_DIR=" + l.step("page", -1),
	}, asked...))
	text, err := os.ReadFile(filepath.Join(l.step("index", -1), "index.html"))
	l.must(err)
	checkHTML(l.t, string(text))
	return string(text)
}

// ours is every tag that the scripts write; anything else came from a text.
var ours = regexp.MustCompile(`^</?(html|head|meta|style|title|body|main|h1|h2|p|bdi|table|thead|tbody|tr|th|td|ul|li|details|summary|blockquote|br|article|a|section|b|i|code)` +
	`( (lang="en"|charset="utf-8"|class="(sum|more|topics|found|h[1-6])"|id="f[0-9]+"|href="#f[0-9]+"))*>$|^<!DOCTYPE html>$|^<meta (name="viewport"|http-equiv="Content-Security-Policy") content="[^"<>]*">$`)

// checkHTML fails if anything in the page is markup that the scripts do not write.
func checkHTML(t *testing.T, page string) {
	t.Helper()
	if !utf8.ValidString(page) {
		t.Error("the page is not UTF-8")
	}
	head, body, found := strings.Cut(page, "</style>")
	if !found || strings.Count(head, "<style>") != 1 {
		t.Fatal("no head")
	}
	tag := regexp.MustCompile(`<[^>]*>?`)
	for _, one := range tag.FindAllString(body, -1) {
		if !ours.MatchString(one) {
			t.Errorf("a tag that is not ours: %q", one)
		}
	}
	rest := tag.ReplaceAllString(body, "")
	if strings.ContainsAny(rest, "<>\"'") {
		t.Error("unescaped characters outside of tags")
	}
	if stray := regexp.MustCompile(`&([^;\s]{0,10};?)`).FindAllString(rest, -1); slices.ContainsFunc(stray, func(e string) bool {
		return !slices.Contains([]string{"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}, e)
	}) {
		t.Errorf("unescaped &: %q", stray)
	}
	if strings.ContainsFunc(rest, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }) {
		t.Error("control characters")
	}
}

// nasty are texts and names that would show any carelessness.
func nasty() map[string]string {
	return map[string]string{
		"plain.md":                       "# One\n\ntext here\n\n## Two ##\n\nmore\n",
		"empty.md":                       "",
		"blank.txt":                      "\n\n \n",
		"crlf.md":                        "# Title\r\n\r\nline one\r\nline two\r\n",
		"no-end.md":                      "# Ends without a line end",
		"<script>alert(1)</script>/x.md": "# <script>alert(1)</script>\n\n</blockquote><img src=x onerror=alert(1)> & \"quoted\" 'single' &amp;\n",
		"two\nlines.md":                  "# x\n",
		"-rf.md":                         "dash",
		"$(touch pwned) `id`.md":         "$(touch pwned)",
		"quote\"s and 'more'.md":         "\\ \" \\u0000 \\n / \b \t tab",
		`back\slash\\.md`:                `C:\x\"y\` + "\n" + `{"line": 9, "text": "not a record"}` + "\n",
		"a=b.md":                         "assignment",
		"FS=x.txt":                       "a b c",
		"émile \U0001F600 \u202e.md":     "# Ünïcödé \u202e \U0001F600\n\nß\u0000"[:len("# Ünïcödé \u202e \U0001F600\n\nß")],
		"binary.md":                      "\x00\x01\x02\xff\xfe" + strings.Repeat("\x00", 100),
		"latin1.md":                      "# caf\xe9\n\n\xff\xfe \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xf0\x9f\x98\n",
		"control.md":                     "\x01\x02\x1b[31mred\x1b[0m\x7f\n",
		"long.md":                        strings.Repeat("word ", 20000) + "\n" + strings.Repeat("é", 5000),
		"code.md":                        "```sh\n# not a heading\n```\nSetext\n======\n\nsecond\n---\n\n- item\n---\n",
		"sub/" + strings.Repeat("n", 200) + ".md": "deep",
		".hidden/x.md": "hidden",
		"other.bin":    "not asked for",
	}
}

func TestScanFindsEveryFile(t *testing.T) {
	texts := nasty()
	l := newLibrary(t, texts)
	var want []string
	for name := range texts {
		if !strings.HasPrefix(name, ".hidden") && name != "other.bin" {
			want = append(want, name)
		}
	}
	var got []string
	for _, f := range l.scan() {
		got = append(got, f.Name)
		if f.Path != filepath.Join(l.folder, f.Name) || f.Bytes != int64(len(texts[f.Name])) {
			t.Errorf("%+v", f)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestNothingToRead(t *testing.T) {
	l := newLibrary(t, nil)
	if got := l.scan(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if page := l.index(); !strings.Contains(page, "No file there") {
		t.Error(page)
	}
}

func TestAFolderThatIsNoneEndsForGood(t *testing.T) {
	l := newLibrary(t, nil)
	l.folder += "/none"
	err := l.attempt(l.step("scan", -1), "", "scan.sh", nil)
	if err == nil || !strings.Contains(err.Error(), "exit status 78") {
		t.Errorf("%v", err)
	}
	err = l.attempt(l.step("stats", 0), "", "stats.sh", nil, l.folder)
	if err == nil || !strings.Contains(err.Error(), "exit status 78") {
		t.Errorf("%v", err)
	}
}

func TestNastyTextsBecomeOnePage(t *testing.T) {
	l := newLibrary(t, nasty())
	files := l.scan()
	for i, f := range files {
		s, _, _ := l.item(i, f)
		if int64(s.Bytes) != f.Bytes {
			t.Errorf("%q: %+v", f.Name, s)
		}
	}
	page := l.index()
	last := -1
	for i := range files {
		at := strings.Index(page, fmt.Sprintf(`<article id="f%d">`, i))
		if at <= last {
			t.Errorf("article %d is missing or out of order", i)
		}
		last = at
	}
	if !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Error("markup in a text is not shown")
	}
	for _, dir := range []string{l.folder, l.batch, l.plan} {
		err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			if filepath.Base(path) == "pwned" {
				t.Errorf("a name was run: %s", path)
			}
			return err
		})
		l.must(err)
	}
}

func TestWhatIsFoundInAText(t *testing.T) {
	texts := nasty()
	l := newLibrary(t, texts)
	files := l.scan()
	find := func(name string) (stats, []heading, []passage) {
		t.Helper()
		i := slices.IndexFunc(files, func(f file) bool { return f.Name == name })
		if i < 0 {
			t.Fatalf("no %q", name)
		}
		return l.item(i, files[i])
	}

	s, h, p := find("plain.md")
	if s.Lines != 7 || s.Words != 8 || s.Binary || !slices.Equal(h, []heading{{1, 1, "One"}, {5, 2, "Two"}}) {
		t.Errorf("plain: %+v %+v", s, h)
	}
	if !slices.Equal(p, []passage{{1, 4, "# One\n\ntext here"}, {5, 4, "## Two ##\n\nmore"}}) {
		t.Errorf("plain: %+v", p)
	}
	s, h, p = find("crlf.md")
	if s.CRLFLines != 4 || !slices.Equal(h, []heading{{1, 1, "Title"}}) || len(p) != 1 || strings.Contains(p[0].Text, "\r") {
		t.Errorf("crlf: %+v %+v %+v", s, h, p)
	}
	s, h, p = find("binary.md")
	if !s.Binary || s.Lines != 0 || len(h) > 0 || len(p) > 0 {
		t.Errorf("binary: %+v %+v %+v", s, h, p)
	}
	if _, h, _ = find("latin1.md"); len(h) != 1 || h[0].Text != "caf\ufffd" {
		t.Errorf("latin1: %+v", h)
	}
	if _, h, _ = find("code.md"); !slices.Equal(h, []heading{{4, 1, "Setext"}, {7, 2, "second"}}) {
		t.Errorf("code: %+v", h)
	}
	if _, _, p = find(`back\slash\\.md`); len(p) != 1 || p[0].Text+"\n" != texts[`back\slash\\.md`] {
		t.Errorf("backslashes: %+v", p)
	}
	_, _, p = find("long.md")
	var whole strings.Builder
	for _, one := range p {
		if len(one.Text) > 2000 || strings.Contains(one.Text, "\ufffd") {
			t.Errorf("a passage of %d bytes, or a character cut in two", len(one.Text))
		}
		whole.WriteString(one.Text)
	}
	if got, want := strings.Join(strings.Fields(whole.String()), ""), strings.Join(strings.Fields(texts["long.md"]), ""); got != want {
		t.Errorf("the passages of a long line hold %d bytes of %d", len(got), len(want))
	}
}
