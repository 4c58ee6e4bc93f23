package plan

import (
	"encoding/json"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"candor"

	"go.yaml.in/yaml/v3"
)

// compiler makes steps of tasks.
type compiler struct {
	*reader
	dirs   folders
	vars   variables
	drafts []*draft // in the order of the file
	byName map[string]*draft
	globs  map[string]globbed // by pattern: two tasks over one glob get the same items
	files  map[string]rows    // by path: two tasks over one file read it once
}

// draft is a task on its way to being a step.
type draft struct {
	key     *yaml.Node
	task    task
	known   bool // nothing in the task was misread: what is not there was left out
	step    candor.Step
	edges   []edge
	when    string // the input whose emptiness leaves it out; "": none does
	leftOut bool   // it is empty: the task is checked, and no part of the submission

	items  string            // names what it fans out over: equal for equal items; "" if not known
	rows   []json.RawMessage // the items, where known, not gathered in chunks
	placed bool              // those behind it may look at its outputs and items
}

// outputNames are those written in the plan, good or not, and those a prompt has
// without being written.
func (d *draft) outputNames() []string {
	var names []string
	for _, p := range d.task.Outputs.pairs {
		names = append(names, p.key.Value)
	}
	for _, name := range slices.Sorted(maps.Keys(d.step.Outputs)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// edge is a need with its place.
type edge struct {
	node        *yaml.Node
	to          *draft
	allowFailed bool
	all         bool
}

// compile makes the submission; left is told, if it is not nil, which tasks are
// left out for want of an input.
func (c *compiler) compile(f file, absolute string, in map[string]string, left func(input string, tasks []string)) *candor.Submission {
	declared := c.declarations(f.Inputs)
	c.vars.values = c.fill(declared, in, c.dirs)
	for _, d := range declared {
		c.vars.names = append(c.vars.names, d.Name)
	}
	sub := &candor.Submission{
		Name: c.text(f.Name.leaf), Key: c.text(f.Key.leaf), Expires: c.duration(f.Expires, time.Second),
		PlanFile: absolute, PlanDir: c.dirs.plan, Inputs: c.inputsJSON(),
	}
	if !f.Name.given() {
		sub.Name = strings.TrimSuffix(filepath.Base(absolute), filepath.Ext(absolute))
	}
	if f.Tasks.good && len(f.Tasks.pairs) == 0 {
		c.wrong(f.Tasks.node, "", "a plan has at least one task")
	}
	c.draft(f.Tasks)
	c.conditions()
	for _, d := range c.drafts {
		c.looking(d, c.basics)
		c.looking(d, c.needs)
	}
	ordered := c.order()
	for _, d := range ordered {
		c.looking(d, c.place)
	}
	for _, d := range c.drafts {
		c.lint(d)
	}
	sub.Steps = c.kept(f, ordered, left)
	return sub
}

// place fills in what a task has to do with those that come before it.
func (c *compiler) place(d *draft) {
	c.certainItems(d)
	c.fanOut(d)
	c.release(d)
	if d.step.LLM != nil {
		c.ask(d)
	}
	d.placed = true
}

func (c *compiler) inputsJSON() json.RawMessage {
	if len(c.vars.values) == 0 {
		return nil
	}
	all := make(map[string]json.RawMessage, len(c.vars.values))
	for name, v := range c.vars.values {
		all[name] = v.raw
		if v.raw == nil {
			all[name] = json.RawMessage("null")
		}
	}
	return encoded(all)
}

// draft checks the names of the tasks and makes them known to each other.
func (c *compiler) draft(tasks named[task]) {
	env := map[string]string{}
	c.byName, c.globs, c.files = map[string]*draft{}, map[string]globbed{}, map[string]rows{}
	for _, p := range tasks.pairs {
		d := &draft{key: p.key, task: p.value, known: !p.broken}
		c.drafts = append(c.drafts, d)
		if c.name(p.key, "a task", env) {
			c.byName[p.key.Value] = d
		}
	}
}

// basics fills in what a task says of itself alone.
func (c *compiler) basics(d *draft) {
	t, s := &d.task, &d.step
	s.Name = d.key.Value
	s.Class = c.class(t.Class)
	s.Outputs = c.outputs(t.Outputs)
	s.Timeout = c.duration(t.Timeout, time.Millisecond)
	s.NoProgress = c.duration(t.NoProgress, time.Millisecond)
	s.Backoff = c.duration(t.Backoff, 0)
	s.Retries = c.whole(t.Retries, "retries:", 0, candor.MaxRetries)
	s.Priority = c.whole(t.Priority, "priority", -candor.MaxPriority, candor.MaxPriority)
	s.Env = c.env(t.Env)
	s.Requires = candor.Requires{
		Labels: c.texts(t.Requires.Labels), Tools: c.texts(t.Requires.Tools), Worker: c.text(t.Requires.Worker.leaf),
	}
	s.VRAM = c.amount(t.VRAM)
	s.Model = c.text(t.Model.leaf)
	s.Accept = c.accepted(d)
	c.action(d)
	switch {
	case s.Class == candor.ClassLLM && !t.Model.given():
		c.wrong(d.key, "add one, like model: qwen2.5:7b", "an llm task names its model")
	case t.Model.given() && (s.Class == candor.ClassCPU || s.Class == candor.ClassScript):
		c.warn(t.Model.node, "did you mean class: llm?", "class %s does not wait for a model to be loaded", s.Class)
	}
	if t.VRAM.given() && s.Class == candor.ClassCPU {
		c.warn(t.VRAM.node, "did you mean class: script?", "class cpu runs without a GPU: vram says nothing")
	}
}

// class is cpu where none is given: it is what every worker can be asked for.
func (c *compiler) class(l plain) candor.Class {
	if !l.good {
		return candor.ClassCPU
	}
	class := candor.Class(l.node.Value)
	if !class.Valid() {
		c.wrong(l.node, didYouMean(l.node.Value, words(candor.Classes()), "the classes"), "%q is not a class", clip(l.node.Value))
		return candor.ClassCPU
	}
	return class
}

// env gives a task's variables: its own, and the inputs of the plan.
func (c *compiler) env(given named[word]) map[string]string {
	env := map[string]string{}
	for _, p := range given.pairs {
		name := p.key.Value
		value, _ := c.filled(p.value.leaf)
		switch {
		case !candor.ValidEnvName(name):
			c.wrong(p.key, "letters, digits and _, not beginning with a digit", "%q cannot be the name of an environment variable", clip(name))
		case candor.ReservedEnv(name) || strings.HasPrefix(name, "INPUT_"):
			c.wrong(p.key, "take another name", "%s is set by candor itself", name)
		case !candor.Passable(value):
			c.wrong(p.value.node, "", "the value of %s is longer than the %d bytes a variable can hold, or has a zero byte", name, candor.MaxArgument)
		}
		env[name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(c.vars.values)) {
		env[candor.InputEnv(name)] = c.vars.values[name].text
	}
	if len(env) == 0 {
		return nil
	}
	return env
}

func (c *compiler) outputs(given named[text]) map[string]string {
	names, paths := map[string]string{}, map[string]string{}
	var all map[string]string
	for _, p := range given.pairs {
		name := p.key.Value
		written := c.text(p.value.leaf)
		if !c.name(p.key, "an output", names) || written == "" {
			continue
		}
		if name == "dir" {
			c.wrong(p.key, "take another name", "$NEEDS_…_DIR is the folder of a task, so an output cannot be called dir")
		}
		clean := path.Clean(written)
		switch {
		case path.IsAbs(written):
			c.wrong(p.value.node, "a path inside the task's own folder, like result.json", "output %s is an absolute path: %q", name, clip(written))
		case clean == ".." || strings.HasPrefix(clean, "../"):
			c.wrong(p.value.node, "a path inside the task's own folder, like result.json", "output %s climbs out of the task's folder: %q", name, clip(written))
		case !candor.ValidOutputPath(clean):
			c.wrong(p.value.node, `a path inside the task's own folder, not beginning with a dot, without \, : and control characters`, "output %s cannot be at %q", name, clip(written))
		case paths[clean] != "":
			c.wrong(p.value.node, "", "outputs %s and %s are the same file", paths[clean], name)
		}
		if all == nil {
			all = map[string]string{}
		}
		all[name], paths[clean] = clean, name
	}
	return all
}
