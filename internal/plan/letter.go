package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"candor"

	"go.yaml.in/yaml/v3"
)

// letter cuts a text for a model into parts. Inputs become text as it is; the
// item and outputs stay references, whose values nobody searches for variables.
func (c *compiler) letter(d *draft, l letter) []candor.Part {
	if !l.good {
		return nil
	}
	all, ok := c.pieces(l.node)
	var parts []candor.Part
	literal := func(text string) {
		if last := len(parts) - 1; last >= 0 && parts[last].Text != "" {
			parts[last].Text += text
		} else if text != "" {
			parts = append(parts, candor.Part{Text: text})
		}
	}
	for _, p := range all {
		switch {
		case !p.variable:
			literal(p.text)
		case isItem(p.text):
			parts = append(parts, c.itemPart(d, l.node, p))
		case firstSegment(p.text) == "needs":
			parts = append(parts, c.neededPart(d, l.node, p))
		default:
			v, known := c.inputPart(l.node, p)
			literal(v)
			ok = ok && known
		}
	}
	if blank := len(parts) == 0 || len(parts) == 1 && parts[0].Text != "" && strings.TrimSpace(parts[0].Text) == ""; ok && blank {
		c.wrong(l.node, "", "an empty text")
	}
	return parts
}

func firstSegment(expression string) string {
	first, _, _ := strings.Cut(expression, ".")
	return first
}

// inputPart is the value of an input; anything else was misspelt.
func (c *compiler) inputPart(n *yaml.Node, p piece) (string, bool) {
	v, known, hint := c.vars.lookup(p.text)
	if known {
		return v.text, !v.broken
	}
	kinds := []string{"inputs", "item", "needs"}
	if first := firstSegment(p.text); first != "inputs" {
		hint = "a text for a model may hold {{ inputs.name }}, {{ item }}, {{ item.field }} and {{ needs.task.output }}"
		if _, isInput := c.vars.values[p.text]; isInput {
			hint = fmt.Sprintf("did you mean {{ inputs.%s }}?", p.text)
		} else if meant := nearest(first, kinds); meant != "" {
			hint = fmt.Sprintf("did you mean {{ %s }}?", clip(meant+strings.TrimPrefix(p.text, first)))
		}
	}
	c.wrongAt(n, p.offset, hint, "unresolved variable {{ %s }}", clip(p.text))
	return "", false
}

func (c *compiler) itemPart(d *draft, n *yaml.Node, p piece) candor.Part {
	part := candor.Part{IsItem: true}
	if !d.task.Foreach.given() {
		c.wrongAt(n, p.offset, "add foreach, or leave {{ "+clip(p.text)+" }} out", "the task has no items")
		return part
	}
	path, hasPath := strings.CutPrefix(p.text, "item.")
	if !hasPath {
		return part
	}
	if !dotted(path) {
		c.wrongAt(n, p.offset, "like item.text or item.meta.title", "%q is no path into an item", clip(path))
		return part
	}
	part.Item = path
	c.itemField(d, n, p, path)
	return part
}

// dotted tells whether a path has a name between all its dots.
func dotted(path string) bool { return !slices.Contains(strings.Split(path, "."), "") }

// sample is how many items are looked at for a field.
const sample = 1000

// itemField looks for a field in the items that are known: none that has it is a
// slip, some without it will be rows without an answer.
func (c *compiler) itemField(d *draft, n *yaml.Node, p piece, path string) {
	var first any
	lacking, seen := -1, false
	for i, raw := range d.rows[:min(len(d.rows), sample)] {
		var item any
		if json.Unmarshal(raw, &item) != nil {
			return // told elsewhere
		}
		if i == 0 {
			first = item
		}
		if has(item, strings.Split(path, ".")) {
			seen = true
		} else if lacking < 0 {
			lacking = i
		}
	}
	switch {
	case lacking < 0:
	case !seen:
		c.wrongAt(n, p.offset, fieldHint(path, first), "no item has %q", clip(path))
	default:
		c.warnAt(n, p.offset, "that row will have an error in place of its answer", "item %d has no %q", lacking, clip(path))
	}
}

// has tells whether a path leads to a value: by the names of fields, and by
// numbers in lists.
func has(value any, path []string) bool {
	for _, name := range path {
		switch v := value.(type) {
		case map[string]any:
			next, there := v[name]
			if !there {
				return false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return false
			}
			value = v[i]
		default:
			return false
		}
	}
	return true
}

func fieldHint(path string, first any) string {
	fields, isObject := first.(map[string]any)
	if !isObject {
		return "the items are not objects: write {{ item }}"
	}
	var names []string
	for name := range fields {
		names = append(names, clip(name))
	}
	slices.Sort(names)
	return didYouMean(path, names, "the first has")
}

// neededName reads needs.task.output or needs.task.output.path.
func neededName(expression string) (step, output, path string, ok bool) {
	rest, isNeed := strings.CutPrefix(expression, "needs.")
	step, rest, _ = strings.Cut(rest, ".")
	output, path, hasPath := strings.Cut(rest, ".")
	ok = isNeed && step != "" && output != "" && (!hasPath || dotted(path))
	return step, output, path, ok
}

// neededPart is an output of a needed task, which has to be there, and there once.
func (c *compiler) neededPart(d *draft, n *yaml.Node, p piece) candor.Part {
	name, output, path, ok := neededName(p.text)
	if !ok {
		c.wrongAt(n, p.offset, "like {{ needs.scan.text }}, or {{ needs.scan.list.title }} into JSON", "{{ %s }} does not name a task and one of its outputs", clip(p.text))
		return candor.Part{}
	}
	i := slices.IndexFunc(d.edges, func(e edge) bool { return e.to.key.Value == name })
	if i < 0 {
		c.wrongAt(n, p.offset, c.missingNeed(d, name), "%s is not among the needs of the task", clip(name))
		return candor.Part{}
	}
	e := d.edges[i]
	if !c.certain(d, e.to, func(hint, format string, args ...any) { c.wrongAt(n, p.offset, hint, format, args...) }) {
		return candor.Part{}
	}
	names := e.to.outputNames()
	switch {
	case !e.to.placed: // they need each other in a circle
	case !slices.Contains(names, output):
		hint := fmt.Sprintf("%s declares no outputs: add outputs: {%s: %s.txt}", name, clip(output), clip(output))
		if len(names) > 0 {
			hint = didYouMean(output, names, name+" declares")
		}
		c.wrongAt(n, p.offset, hint, "%s has no output %q", name, clip(output))
	case e.allowFailed:
		c.wrongAt(n, p.offset, "leave allow_failed out", "%s may have failed, and there is nothing to put here then", name)
	case c.runsMany(d, e):
		c.wrongAt(n, p.offset, oneOfMany(d, e), "%s runs once for each of its items: there is not one %s to put here", name, output)
	}
	return candor.Part{Need: name, Output: output, Path: path}
}

// oneOfMany is what to do where an output is many files.
func oneOfMany(d *draft, e edge) string {
	name := e.to.key.Value
	switch {
	case e.all && d.items == e.to.items && d.items != "":
		return "leave all: true out, to take that of the same item"
	case !d.task.Foreach.given():
		return fmt.Sprintf("add foreach: %s, to ask once for each of them; or let a task gather them into one file", name)
	default:
		return fmt.Sprintf("fan out over the same (foreach: %s), to take that of the same item; or let a task gather them into one file", name)
	}
}

// missingNeed is what was meant by a task that is not needed.
func (c *compiler) missingNeed(d *draft, name string) string {
	if other := c.byName[name]; other != nil && other != d {
		return fmt.Sprintf("add %s to needs", name)
	}
	var needed []string
	for _, e := range d.edges {
		needed = append(needed, e.to.key.Value)
	}
	if len(needed) == 0 {
		return "the task needs none"
	}
	return didYouMean(name, needed, "it needs")
}
