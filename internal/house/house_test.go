package house

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// tree makes a Tree of a module named m from path and text pairs.
func tree(t *testing.T, files ...string) *Tree {
	t.Helper()
	fsys := fstest.MapFS{"go.mod": {Data: []byte("module m\n\ngo 1.26.0\n")}}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	tr, err := Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// check compares findings by a part of each: the texts may be reworded.
func check(t *testing.T, findings []string, want ...string) {
	t.Helper()
	if len(findings) != len(want) {
		t.Fatalf("%d findings, want %d:\n%s", len(findings), len(want), strings.Join(findings, "\n"))
	}
	for i, part := range want {
		if !strings.Contains(findings[i], part) {
			t.Errorf("finding %q does not say %q", findings[i], part)
		}
	}
}

func TestLoadLeavesOutWhatIsNotOurs(t *testing.T) {
	tr := tree(t, ".git/HEAD", "x", "bin/a", "x", "a/.cache/b", "x", "a/picture", "\x00", ".ci/run", "x", "a/testdata/bad.go", "no go")
	var paths []string
	for _, f := range tr.Files {
		paths = append(paths, f.Path)
	}
	if want := []string{".ci/run", "a/testdata/bad.go", "go.mod"}; !slices.Equal(paths, want) {
		t.Errorf("read %v, want %v", paths, want)
	}
}

func TestLoadRefusesATreeThatIsNoModule(t *testing.T) {
	if _, err := Load(fstest.MapFS{"a.txt": {Data: []byte("x")}}); err == nil {
		t.Error("a tree without go.mod was read")
	}
	if _, err := Load(fstest.MapFS{"go.mod": {Data: []byte("module m\n")}, "a.go": {Data: []byte("no go")}}); err == nil {
		t.Error("a Go file that does not parse was read")
	}
}

func TestPackageComments(t *testing.T) {
	check(t, PackageComments(tree(t,
		"a/a.go", "package a\n",
		"b/b.go", "// Package b is.\npackage b\n", "b/c.go", "// Package b is, too.\npackage b\n",
		"c/c.go", "// A fine package.\npackage c\n",
		"d/d.go", "// Package d is.\npackage d\n", "d/d_test.go", "// Some words.\npackage d\n",
		"e/main.go", "// Command e does.\npackage main\n",
	)), "a: no package comment", "b: 2 package comments", "c/c.go: the package comment begins")
}

func TestDirections(t *testing.T) {
	rooms := []Room{
		{Path: ".", StandardOnly: true, Why: "vocabulary"},
		{Path: "a", May: []string{"b/..."}, Why: "a uses b"},
		{Path: "b/...", Why: "b is a leaf"},
		{Path: "b/c", May: []string{"a"}, Why: "a row of its own"},
	}
	check(t, Directions(tree(t,
		"root.go", "package m\nimport _ \"os\"\nimport _ \"x.org/y\"\n",
		"a/a.go", "package a\nimport (\n_ \"m\"\n_ \"m/b/d\"\n_ \"x.org/y\"\n)\n",
		"b/b.go", "package b\nimport _ \"m/a\"\n",
		"b/b_test.go", "package b\nimport _ \"m/a\"\n",
		"b/c/c.go", "package c\nimport _ \"m/a\"\n",
		"z/z.go", "package z\n", "z/y.go", "package z\n",
	), rooms), "b/b.go: may not import a", "root.go: may import the standard library only", "z: not in the table")
}

func TestImpurities(t *testing.T) {
	check(t, Impurities(tree(t,
		"a/a.go", "package a\nimport _ \"os\"\nfunc f() {\n\tgo f()\n}\n",
		"a/a_test.go", "package a\nimport _ \"os\"\n",
		"b/b.go", "package b\nimport _ \"os\"\n",
	), "a"), "a/a.go: imports os", "a/a.go:4: starts a goroutine")
}

func TestSkips(t *testing.T) {
	const testing = "package a\nimport \"testing\"\n"
	check(t, Skips(tree(t,
		"a/a_test.go", testing+"func TestA(t *testing.T) {\n\tt.Skip()\n\tif testing.Short() {\n\t}\n}\n",
		"a/b_test.go", testing+"func TestB(t *testing.T) { r.Skip(1) }\n",
		"a/suite.go", testing+"func Suite(tb testing.TB) { tb.Skipf(\"\") }\n",
		"a/cli.go", "package a\nfunc f() { t.Skip() }\n",
	)), "a/a_test.go:4", "a/a_test.go:5", "a/suite.go:3")
}

func TestSleeps(t *testing.T) {
	check(t, Sleeps(tree(t,
		"a/a.go", "package a\nimport \"time\"\nfunc f() { time.Sleep(1) }\n",
		"a/a_test.go", "package a\nimport \"time\"\nfunc f() { time.Sleep(1) }\n",
		"a/b_test.go", "package a\nimport clock \"time\"\nfunc f() { clock.Sleep(1) }\n",
		"a/c_test.go", "package a\nimport (\n\"testing/synctest\"\n\"time\"\n)\nfunc f() { synctest.Test(nil, func() { time.Sleep(1) }) }\n",
		"a/d_test.go", "package a\nimport \"time\"\nfunc f() { time.Sleep(1) }\n",
		"a/e_test.go", "package a\nimport \"time\"\nfunc f() {\n<-time.After(1)\n<-time.Tick(1)\nselect {\ncase <-time.After(1):\n}\n}\n",
		"a/f_test.go", "package a\nimport \"time\"\nfunc f(c chan int) { select {\ncase <-c:\ncase <-time.After(1):\n}\n<-c\n}\n",
	), []Exception{{"a/d_test.go", "a child"}, {"a/c_test.go", "virtual"}}),
		"a/a_test.go:3", "a/b_test.go:3", "a/e_test.go:4", "a/e_test.go:5", "a/e_test.go:7", "a/c_test.go: keeps the law")
}

func TestLengths(t *testing.T) {
	long := "package a\n" + strings.Repeat("\n", 10)
	check(t, Lengths(tree(t,
		"a/a.go", long, "a/b.go", "package a\n", "a/c.go", long, "a/a_test.go", long, "a/long.txt", long,
	), 10, 11, []Exception{{"a/b.go", "was long"}, {"a/c.go", "a table"}, {"a/d.go", "was here"}}),
		"a/a.go: 11 lines, at most 10", "a/b.go: keeps the law", "a/d.go: keeps the law")
}

func TestMachinePaths(t *testing.T) {
	home := "/" + "home/ann"
	check(t, MachinePaths(tree(t,
		"a.md", "see "+home+" and \""+home+"/x\"\n",
		"b.go", "package m\n\nvar p = \""+home+"\"\n",
		"c.sh", "cd $X"+home+"; ls ./"+home+"/y {state}"+home+"\n",
		"go.sum", home+"\n",
	), []string{"home"}), "a.md:1", "a.md:1", "b.go:3")
}

func TestNumbering(t *testing.T) {
	check(t, Numbering(tree(t, "adr/0001-a.md", "", "adr/0002-b-c.md", "", "adr/README.md", ""), "adr"))
	check(t, Numbering(tree(t), "adr"))
	check(t, Numbering(tree(t, "adr/0001-a.md", "", "adr/0003-b.md", "", "adr/0003-c.md", "", "adr/notes.md", ""), "adr"),
		"number 0003, want 0002", "adr/notes.md: is not named")
	check(t, Numbering(tree(t, "adr/0001-a.md", "", "adr/0001-b.md", ""), "adr"), "number 0001, want 0002")
}

func TestMissing(t *testing.T) {
	check(t, Missing(tree(t, "a/b.md", ""), []string{"a", "a/b.md", "c.md"}), "c.md: is missing")
}
