package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"candor"

	"go.yaml.in/yaml/v3"
)

// A task with when: "{{ inputs.name }}" is part of the plan unless that input is
// empty. Which tasks may be left out is read from the file, not from the values:
// what is wrong with a plan is wrong whichever tasks a batch of it has.

// conditions reads when of every task.
func (c *compiler) conditions() {
	for _, d := range c.drafts {
		d.when, d.leftOut = c.condition(d.task.When)
	}
}

// condition is the input that decides, and whether it is empty.
func (c *compiler) condition(w condition) (name string, empty bool) {
	if !w.good {
		return "", false
	}
	const form = `like when: "{{ inputs.name }}"`
	all, ok := c.pieces(w.node)
	switch {
	case !ok:
		return "", false
	case len(all) != 3 || all[0].text != "" || all[2].text != "":
		c.wrong(w.node, form, "when is one input and nothing else: the task is left out where that is empty")
		return "", false
	}
	v, known, hint := c.vars.lookup(all[1].text)
	if !known {
		c.wrongAt(w.node, all[1].offset, hint, "unresolved variable {{ %s }}", clip(all[1].text))
		return "", false
	}
	if !v.canBeEmpty() {
		c.warn(w.node, "", "input %s is never empty, so the task is never left out", v.Name)
	}
	return v.Name, v.empty()
}

// empty tells whether there is nothing in an input: a text or list without
// anything in it, false, or no value.
func (v value) empty() bool {
	switch {
	case v.broken:
		return false
	case v.Type == InputList:
		return len(v.list) == 0
	case v.Type == InputBool:
		return v.text != "true"
	}
	return v.text == ""
}

// canBeEmpty tells whether any value, or none, would be empty.
func (v value) canBeEmpty() bool {
	switch v.Type {
	case InputPath, InputInt, InputNumber:
		return v.Default == nil && !v.Required
	case InputString, InputBool, InputList:
	}
	return true
}

// looking runs a part of the work on a task with the inputs as that task sees
// them. To a task that is left out the input that is empty has no value: nothing
// that would be made of it is looked at, and all else is, as if it were there.
func (c *compiler) looking(d *draft, work func(*draft)) {
	if !d.leftOut {
		work(d)
		return
	}
	all := c.vars.values
	v := all[d.when]
	v.broken = true
	c.vars.values = maps.Clone(all)
	c.vars.values[d.when] = v
	work(d)
	c.vars.values = all
}

// certain refuses that d takes its items or a text from a task that may be left
// out where d is not.
func (c *compiler) certain(d, from *draft, place func(hint, format string, args ...any)) bool {
	if from.when == "" || from.when == d.when {
		return true
	}
	place(fmt.Sprintf(`give this task the same when: "{{ inputs.%s }}"`, from.when),
		"%s is left out where input %s is empty, and then there is nothing to take from it", from.key.Value, from.when)
	return false
}

// at reports at a node.
func (c *compiler) at(n *yaml.Node) func(hint, format string, args ...any) {
	return func(hint, format string, args ...any) { c.wrong(n, hint, format, args...) }
}

// certainItems checks where the items of a task come from.
func (c *compiler) certainItems(d *draft) {
	f := d.task.Foreach
	if !f.good {
		return
	}
	if from := c.byName[f.task]; from != nil {
		c.certain(d, from, c.at(f.node))
	}
	if name, _, ok := c.manifestName(f); ok && c.byName[name] != nil {
		c.certain(d, c.byName[name], c.at(f.object.From.node))
	}
}

// maybe lists the variables of needed tasks that may be left out where d is not.
func (c *compiler) maybe(d *draft) map[string]*draft {
	names := map[string]*draft{}
	for _, e := range d.edges {
		if e.to.when == "" || e.to.when == d.when {
			continue
		}
		names[candor.NeedDirEnv(e.to.key.Value)] = e.to
		for _, output := range e.to.outputNames() {
			names[candor.NeedOutputEnv(e.to.key.Value, output)] = e.to
		}
	}
	return names
}

// kept are the tasks that are part of the plan with these inputs.
func (c *compiler) kept(f file, ordered []*draft, left func(input string, tasks []string)) []candor.Step {
	var steps []candor.Step
	out := map[string][]string{}
	for _, d := range ordered {
		if d.leftOut {
			out[d.when] = append(out[d.when], d.key.Value)
		} else {
			steps = append(steps, d.step)
		}
	}
	names := slices.Sorted(maps.Keys(out))
	if len(steps) == 0 && len(names) > 0 && len(c.errors) == 0 {
		c.wrong(f.Tasks.node, "give one: -i "+strings.Join(names, "=…, -i ")+"=…", "nothing is left of the plan: every task waits for an input that is empty")
	}
	if left == nil || len(c.errors) > 0 {
		return steps
	}
	for _, name := range names {
		left(name, out[name])
	}
	return steps
}
