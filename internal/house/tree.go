package house

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Tree is the repository, read once.
type Tree struct {
	Module string // module path of the go.mod at the root
	Files  []File // text files by path
	fset   *token.FileSet
	there  map[string]bool // every file and folder, slash paths from the root
}

// File is one text file. Go is nil where it is no Go source, and for Go files
// under testdata, which are data.
type File struct {
	Path  string
	Text  []byte
	Lines int
	Go    *ast.File
}

// Load reads the tree. Hidden folders (except .ci), bin and dist are not part
// of it, nor are files that hold a NUL byte.
func Load(fsys fs.FS) (*Tree, error) {
	t := &Tree{fset: token.NewFileSet(), there: map[string]bool{}}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			// Somebody's test removes its files while we walk.
			if errors.Is(err, fs.ErrNotExist) && p != "." {
				return nil
			}
			return err
		}
		if d.IsDir() {
			if outside(p) {
				return fs.SkipDir
			}
			t.there[p] = true
			return nil
		}
		if !d.Type().IsRegular() || p == ".git" { // of a work tree it is a file
			return nil
		}
		t.there[p] = true
		return t.add(fsys, p)
	})
	if err != nil {
		return nil, fmt.Errorf("read the tree: %w", err)
	}
	if t.Module == "" {
		return nil, errors.New("read the tree: no module line in go.mod")
	}
	return t, nil
}

func outside(dir string) bool {
	return dir == "bin" || dir == "dist" ||
		dir != "." && dir != ".ci" && strings.HasPrefix(path.Base(dir), ".")
}

func (t *Tree) add(fsys fs.FS, p string) error {
	text, err := fs.ReadFile(fsys, p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil
	}
	f := File{Path: p, Text: text, Lines: bytes.Count(text, []byte("\n"))}
	if strings.HasSuffix(p, ".go") && !isData(p) {
		f.Go, err = parser.ParseFile(t.fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
	}
	if p == "go.mod" {
		for line := range bytes.Lines(text) {
			if name, ok := bytes.CutPrefix(line, []byte("module ")); ok {
				t.Module = string(bytes.TrimSpace(name))
			}
		}
	}
	t.Files = append(t.Files, f)
	return nil
}

// IsTest tells whether the file belongs to a test binary only.
func (f File) IsTest() bool { return strings.HasSuffix(f.Path, "_test.go") }

// dir is the package's folder: "." for the root.
func (f File) dir() string { return path.Dir(f.Path) }

// imports lists the import paths of a Go file.
func (f File) imports() []string {
	var paths []string
	for _, spec := range f.Go.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// localName is the name under which the file knows the package, or "" when it
// does not import it.
func (f File) localName(importPath string) string {
	for _, spec := range f.Go.Imports {
		if spec.Path.Value != strconv.Quote(importPath) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// at names a place in a Go file.
func (t *Tree) at(pos token.Pos) string {
	p := t.fset.Position(pos)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// isData tells whether the path lies in a testdata folder.
func isData(p string) bool {
	return strings.HasPrefix(p, "testdata/") || strings.Contains(p, "/testdata/")
}
