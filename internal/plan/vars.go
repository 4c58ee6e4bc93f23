package plan

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A variable is written {{ inputs.name }}. Only {{ before a letter begins one,
// so that texts of other template languages ({{.Names}}) stay as they are.

// piece is a part of a text: as written, or a variable.
type piece struct {
	text     string // as written; of a variable what stands between the braces
	offset   int    // where it begins, in bytes
	variable bool
}

// pieces cuts a text at its variables. An open {{ is reported.
func (r *reader) pieces(n *yaml.Node) ([]piece, bool) {
	var all []piece
	rest, at := n.Value, 0
	for {
		i := variableStart(rest)
		if i < 0 {
			return append(all, piece{text: rest, offset: at}), true
		}
		end := strings.Index(rest[i:], "}}")
		if end < 0 {
			r.wrongAt(n, at+i, "", "this {{ is not closed by }}")
			return nil, false
		}
		all = append(all, piece{text: rest[:i], offset: at},
			piece{text: strings.TrimSpace(rest[i+2 : i+end]), offset: at + i, variable: true})
		rest, at = rest[i+end+2:], at+i+end+2
	}
}

func variableStart(s string) int {
	for from := 0; ; {
		i := strings.Index(s[from:], "{{")
		if i < 0 {
			return -1
		}
		after := strings.TrimLeft(s[from+i+2:], " \t")
		if after != "" && (isLetter(after[0]) || after[0] == '_') {
			return from + i
		}
		from += i + 2
	}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// variables resolves {{ inputs.name }}.
type variables struct {
	values map[string]value
	names  []string // in the order of the file
}

// lookup finds an input by what stands between the braces, or says what was
// probably meant.
func (vars variables) lookup(expression string) (v value, known bool, hint string) {
	name, isInput := strings.CutPrefix(expression, "inputs.")
	if v, known = vars.values[name]; isInput && known {
		return v, true, ""
	}
	if len(vars.names) == 0 {
		return value{}, false, "the plan declares no inputs"
	}
	full := make([]string, len(vars.names))
	for i, name := range vars.names {
		full[i] = "inputs." + name
	}
	if best := nearest(expression, full); best != "" {
		return value{}, false, fmt.Sprintf("did you mean {{ %s }}?", best)
	}
	return value{}, false, "known are: " + strings.Join(full, ", ")
}

// expand fills in the variables of a scalar. Each value passes through quote, if
// there is one. It is false if something was wrong, which has been reported.
func (r *reader) expand(n *yaml.Node, vars variables, quote func(value) string) (string, bool) {
	all, ok := r.pieces(n)
	var b strings.Builder
	for _, p := range all {
		if !p.variable {
			b.WriteString(p.text)
			continue
		}
		v, known, hint := vars.lookup(p.text)
		switch {
		case !known && isItem(p.text):
			r.wrongAt(n, p.offset, "commands get it as $ITEM; only command: and the texts of a prompt may hold {{ item }}", "the item is not known here: it differs from task to task")
			ok = false
		case !known:
			r.wrongAt(n, p.offset, hint, "unresolved variable {{ %s }}", clip(p.text))
			ok = false
		case v.broken:
			ok = false
		case quote != nil:
			b.WriteString(quote(v))
		default:
			b.WriteString(v.text)
		}
	}
	return b.String(), ok
}

func isItem(expression string) bool {
	return expression == "item" || strings.HasPrefix(expression, "item.")
}

// single is the value of a scalar that is one variable and nothing else, which
// then keeps its type.
func (r *reader) single(n *yaml.Node, vars variables) (value, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || variableStart(n.Value) != 0 {
		return value{}, false
	}
	all, ok := r.pieces(n)
	if !ok || len(all) != 3 || all[0].text != "" || all[2].text != "" {
		return value{}, false
	}
	v, known, _ := vars.lookup(all[1].text)
	return v, known && v.raw != nil
}
