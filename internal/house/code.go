package house

import (
	"fmt"
	"go/ast"
	"slices"
)

// Impurities finds in one folder what a pure package must not have: imports
// that act or read the surroundings, and goroutines. Its tests are free.
func Impurities(t *Tree, dir string) []string {
	acting := []string{
		"bufio", "context", "crypto/rand", "database/sql", "io", "io/fs", "log", "log/slog",
		"net", "net/http", "os", "os/exec", "os/signal", "path/filepath", "runtime", "sync", "sync/atomic", "syscall",
	}
	var findings []string
	for _, f := range t.Files {
		if f.Go == nil || f.IsTest() || f.dir() != dir {
			continue
		}
		for _, imported := range f.imports() {
			if slices.Contains(acting, imported) {
				findings = append(findings, fmt.Sprintf("%s: imports %s, but %s is pure: pass values in and out", f.Path, imported, dir))
			}
		}
		ast.Inspect(f.Go, func(n ast.Node) bool {
			if n, ok := n.(*ast.GoStmt); ok {
				findings = append(findings, t.at(n.Pos())+": starts a goroutine, but "+dir+" is pure")
			}
			return true
		})
	}
	return findings
}

// Skips finds tests that can be skipped, in test files and in packages that
// tests are made of.
func Skips(t *Tree) []string {
	var findings []string
	for _, f := range t.Files {
		if f.Go == nil || f.localName("testing") == "" && f.localName("pgregory.net/rapid") == "" {
			continue
		}
		ast.Inspect(f.Go, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			on, name := selector(call)
			switch {
			case slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, name) && slices.Contains([]string{"t", "b", "f", "tb"}, on):
				findings = append(findings, t.at(call.Pos())+": a test is never skipped: install what it needs, or give the file a build tag")
			case on == "testing" && name == "Short":
				findings = append(findings, t.at(call.Pos())+": no short mode: every test runs every time")
			}
			return true
		})
	}
	return findings
}

// Sleeps finds tests that sleep. A file that imports testing/synctest is taken
// to sleep in virtual time, which costs nothing.
func Sleeps(t *Tree, exceptions []Exception) []string {
	var findings []string
	needed := map[string]bool{}
	for _, f := range t.Files {
		if f.Go == nil || !f.IsTest() {
			continue
		}
		clock := f.localName("time")
		if clock == "" || f.localName("testing/synctest") != "" {
			continue
		}
		deadline := map[ast.Stmt]bool{}
		ast.Inspect(f.Go, func(n ast.Node) bool {
			if choice, ok := n.(*ast.SelectStmt); ok && len(choice.Body.List) > 1 {
				for _, c := range choice.Body.List {
					deadline[c.(*ast.CommClause).Comm] = true
				}
			}
			stmt, ok := n.(*ast.ExprStmt)
			if !ok || deadline[stmt] || !sleeps(stmt.X, clock) {
				return true
			}
			if excepted(exceptions, f.Path) {
				needed[f.Path] = true
			} else {
				findings = append(findings, t.at(n.Pos())+": a test waits for a signal or runs in testing/synctest; it does not sleep")
			}
			return true
		})
	}
	return append(findings, stale(exceptions, needed)...)
}

// sleeps tells whether a statement does nothing but let time pass: time.Sleep, or
// a receive from time.After or time.Tick. In a select beside others it is a deadline.
func sleeps(x ast.Expr, clock string) bool {
	pauses := []string{"Sleep"}
	if receive, ok := x.(*ast.UnaryExpr); ok {
		x, pauses = receive.X, []string{"After", "Tick"}
	}
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return false
	}
	on, name := selector(call)
	return on == clock && slices.Contains(pauses, name)
}

// selector splits a call x.Name() into "x" and "Name"; both are empty for
// other forms.
func selector(call *ast.CallExpr) (on, name string) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	ident, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	return ident.Name, sel.Sel.Name
}
