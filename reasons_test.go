package candor_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"candor"
)

var update = flag.Bool("update", false, "write the files that tests compare with")

const reasonsFile = "docs/reasons.md"

// reasonConst is a code of the closed list, as its source has it.
type reasonConst struct {
	name    string // ReasonBusy
	code    candor.ReasonCode
	meaning string
	section string // the comment above its block
}

// TestReasonsAreDocumented: the codes are an interface, of JSON, logs and why.
// Each says what it means, and the document has them all.
func TestReasonsAreDocumented(t *testing.T) {
	consts := reasonConsts(t)
	var listed []candor.ReasonCode
	for _, c := range consts {
		if c.meaning == "" {
			t.Errorf("%s has no comment that says what it means", c.name)
		}
		listed = append(listed, c.code)
	}
	slices.Sort(listed)
	if !slices.Equal(listed, candor.ReasonCodes()) {
		t.Errorf("reason.go declares %d codes, ReasonCodes has %d", len(listed), len(candor.ReasonCodes()))
	}
	want := reasonsDoc(consts)
	if *update {
		if err := os.WriteFile(reasonsFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(reasonsFile); err != nil || string(got) != want {
		t.Errorf("%s is not current (%v); go test . -run Reasons -update writes it", reasonsFile, err)
	}
}

// TestReasonsAreGiven: a code that nothing gives is a promise that is not kept.
func TestReasonsAreGiven(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || path == "reason.go" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				used[n.Sel.Name] = true
			case *ast.Ident:
				used[n.Name] = true
			case *ast.BasicLit: // package runtime has the same codes
				if text, err := strconv.Unquote(n.Value); err == nil {
					used[text] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range reasonConsts(t) {
		if !used[c.name] && !used[string(c.code)] {
			t.Errorf("nothing ever gives %s (%s)", c.name, c.code)
		}
	}
}

// reasonConsts reads the constants of reason.go, with their comments.
func reasonConsts(t *testing.T) []reasonConst {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var out []reasonConst
	for _, decl := range file.Decls {
		block, ok := decl.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		section := strings.Join(strings.Fields(block.Doc.Text()), " ")
		for _, spec := range block.Specs {
			v := spec.(*ast.ValueSpec)
			if kind, ok := v.Type.(*ast.Ident); !ok || kind.Name != "ReasonCode" {
				continue
			}
			code, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, reasonConst{
				name: v.Names[0].Name, code: candor.ReasonCode(code), meaning: strings.TrimSpace(v.Comment.Text()), section: section,
			})
		}
	}
	return out
}

// heading is a block's comment up to what is for readers of the code alone.
func heading(section string) string {
	section, _, _ = strings.Cut(section, ";")
	return strings.TrimSuffix(section, ".")
}

// reasonsDoc is docs/reasons.md.
func reasonsDoc(consts []reasonConst) string {
	var b strings.Builder
	b.WriteString(`# Reasons

Written by ` + "`go test . -run Reasons -update`" + ` from reason.go; a test keeps it current.

Every task that does not run and every worker that is idle has one current reason: a code of this closed list, operands, one sentence
with names and numbers, whose move it is, and since when. ` + "`candor why`" + ` tells it, ` + "`--json`" + ` has code and operands, and the logs carry
the code under ` + "`reason`" + `. A code stays what it is; new ones may come. Whose move it is, is the usual case here; a reason says its own.

- *you*: the plan or the configuration has to change
- *operator*: something is stopped or broken
- *system*: candor acts by itself
- *wait*: nobody has to act
`)
	section := ""
	for _, c := range consts {
		if c.section != section {
			section = c.section
			fmt.Fprintf(&b, "\n## %s\n\n| code | what it means | whose move |\n|---|---|---|\n", heading(section))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.code, strings.ReplaceAll(c.meaning, "|", "\\|"), c.code.Mover())
	}
	return b.String()
}
