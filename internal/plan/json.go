package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// json gives any YAML value as JSON, or reports why it cannot be one. Mappings
// keep the order of the file.
func (r *reader) json(n *yaml.Node) (json.RawMessage, bool) { return r.jsonWith(n, nil) }

// jsonWith fills in the variables of its texts, unless there are none to know. A
// text that is one variable and nothing else becomes a value of that type.
func (r *reader) jsonWith(n *yaml.Node, vars *variables) (json.RawMessage, bool) {
	switch n.Kind {
	case yaml.AliasNode:
		return r.jsonWith(n.Alias, vars)
	case yaml.SequenceNode:
		return r.jsonList(n, vars)
	case yaml.MappingNode:
		return r.jsonObject(n, vars)
	}
	if vars != nil && n.ShortTag() == "!!str" {
		if v, ok := r.single(n, *vars); ok && !v.broken {
			return v.raw, true
		}
		text, ok := r.expand(n, *vars, nil)
		return quoted(text), ok
	}
	switch n.ShortTag() {
	case "!!null":
		return json.RawMessage("null"), true
	case "!!bool":
		return json.RawMessage(strconv.FormatBool(truth(n))), true
	case "!!int":
		if i, err := wholeNumber(n.Value); err == nil {
			return json.RawMessage(strconv.FormatInt(i, 10)), true
		}
		r.wrong(n, `to some readers it is another number; a text stands in quotes: "`+clip(n.Value)+`"`, "%s is not a decimal number", clip(n.Value))
		return nil, false
	case "!!float":
		raw, err := finiteNumber(n.Value)
		if err != nil {
			r.wrong(n, `a text stands in quotes: "`+clip(n.Value)+`"`, "%s", err)
			return nil, false
		}
		return raw, true
	case "!!str", "!!timestamp":
		return quoted(n.Value), true
	}
	r.wrong(n, "", "candor does not know the tag %s", clip(n.Tag))
	return nil, false
}

func (r *reader) jsonList(n *yaml.Node, vars *variables) (json.RawMessage, bool) {
	list, good := make([]json.RawMessage, 0, len(n.Content)), true
	for _, child := range n.Content {
		raw, ok := r.jsonWith(child, vars)
		list, good = append(list, raw), good && ok
	}
	if !good {
		return nil, false
	}
	return encoded(list), true
}

func (r *reader) jsonObject(n *yaml.Node, vars *variables) (json.RawMessage, bool) {
	pairs, good := r.mapping(n)
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range pairs {
		raw, ok := r.jsonWith(p.value, vars)
		if good = good && ok; !good {
			continue
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(quoted(p.key.Value))
		b.WriteByte(':')
		b.Write(raw)
	}
	b.WriteByte('}')
	return b.Bytes(), good
}

// truth is what a node with the tag !!bool says.
func truth(n *yaml.Node) bool { return strings.EqualFold(n.Value, "true") }

// encoded is a value as JSON, with < and & as they are.
func encoded(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		// Only texts and values that are JSON already come here.
		panic(fmt.Sprintf("plan: encode %T: %v", v, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func quoted(s string) json.RawMessage { return encoded(s) }

// wholeNumber reads a decimal number. 010 is refused: to some readers it is eight.
func wholeNumber(text string) (int64, error) {
	digits := strings.TrimLeft(text, "+-")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || len(digits) > 1 && digits[0] == '0' {
		return 0, fmt.Errorf("%q is not a whole number", clip(text))
	}
	return n, nil
}

// finiteNumber reads a number and gives it as JSON, as written where JSON can.
func finiteNumber(text string) (json.RawMessage, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%q is not a finite number", clip(text))
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(strings.TrimSpace(text)), nil
	}
	return json.RawMessage(strconv.FormatFloat(f, 'g', -1, 64)), nil
}
