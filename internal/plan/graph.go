package plan

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// needs finds the tasks that a task needs: those it names, and the one that its
// items come from.
func (c *compiler) needs(d *draft) {
	for _, n := range d.task.Needs.values {
		if !n.good {
			continue
		}
		place := n.node
		if n.object.Task.good {
			place = n.object.Task.node
		}
		c.edge(d, edge{node: place, allowFailed: isTrue(n.object.AllowFailed), all: isTrue(n.object.All)}, n.name, true)
	}
	f := d.task.Foreach
	switch {
	case f.good && f.task != "":
		c.edge(d, edge{node: f.node}, f.task, false)
	case f.good && f.object.From.good:
		if from, _, ok := c.manifestName(f); ok {
			c.edge(d, edge{node: f.object.From.node}, from, false)
		}
	}
}

// edge adds a need. One that foreach implies may stand in needs as well.
func (c *compiler) edge(d *draft, e edge, name string, written bool) {
	e.to = c.byName[name]
	if e.to == nil {
		if c.wrongName(name) {
			return // the task's own name was wrong: told there
		}
		c.wrong(e.node, didYouMean(name, c.taskNames(d), "the plan's tasks"), "there is no task %q", clip(name))
		return
	}
	if slices.ContainsFunc(d.edges, func(other edge) bool { return other.to == e.to }) {
		if written {
			c.wrong(e.node, "", "%s is needed twice", name)
		}
		return
	}
	d.edges = append(d.edges, e)
}

// wrongName tells whether a task of that name is there, though not under a valid name.
func (c *compiler) wrongName(name string) bool {
	return slices.ContainsFunc(c.drafts, func(d *draft) bool { return d.key.Value == name })
}

// taskNames are the tasks that d could need.
func (c *compiler) taskNames(d *draft) []string {
	var names []string
	for _, other := range c.drafts {
		if other != d {
			names = append(names, other.key.Value)
		}
	}
	return names
}

// order puts every task after those it needs, and else keeps the order of the
// file. Each circle is reported.
func (c *compiler) order() []*draft {
	const (
		untouched = iota
		begun
		done
	)
	state := map[*draft]int{}
	var path, ordered []*draft
	var visit func(d *draft)
	visit = func(d *draft) {
		state[d] = begun
		path = append(path, d)
		for _, e := range inFileOrder(d.edges) {
			switch state[e.to] {
			case untouched:
				visit(e.to)
			case begun:
				c.wrong(e.node, "one of them cannot wait for the other", "tasks need each other in a circle: %s", circle(path, e.to))
			}
		}
		path = path[:len(path)-1]
		state[d] = done
		ordered = append(ordered, d)
	}
	for _, d := range c.drafts {
		if state[d] == untouched {
			visit(d)
		}
	}
	return ordered
}

func inFileOrder(edges []edge) []edge {
	return slices.SortedStableFunc(slices.Values(edges), func(a, b edge) int { return before(a.to.key, b.to.key) })
}

func before(a, b *yaml.Node) int {
	if a.Line != b.Line {
		return a.Line - b.Line
	}
	return a.Column - b.Column
}

// circle writes a → b → a, each needing the next.
func circle(path []*draft, to *draft) string {
	var names []string
	for _, d := range path[slices.Index(path, to):] {
		names = append(names, d.key.Value)
	}
	return strings.Join(append(names, to.key.Value), " → ")
}
