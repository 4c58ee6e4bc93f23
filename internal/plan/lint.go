package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"candor"
)

// reference finds the variables in a shell text whose names only candor gives.
// Whether the shell would expand one there is not looked at: in single quotes it
// would not, and then it could just as well be called something else.
var reference = regexp.MustCompile(`\$\{?((?:NEEDS|INPUT)_[A-Za-z0-9_]+|ITEM(?:_[A-Za-z0-9_]+)?)(:?[-+=?])?`)

// lint looks in a shell text for variables that will not be there.
func (c *compiler) lint(d *draft) {
	run := d.task.Run
	if !run.good {
		return
	}
	known, maybe := c.given(d), c.maybe(d)
	for _, m := range reference.FindAllStringSubmatchIndex(run.node.Value, -1) {
		name := run.node.Value[m[2]:m[3]]
		hasDefault := m[4] >= 0
		switch from := maybe[name]; {
		case hasDefault || assigned(run.node.Value, name):
			continue
		case from != nil:
			c.wrongAt(run.node, m[0], fmt.Sprintf("write ${%s:-} and look whether it is empty, or give this task the same when", name),
				"there will be no $%s where %s is left out, for want of input %s", name, from.key.Value, from.when)
			continue
		case slices.Contains(known, name):
			continue
		}
		if strings.HasPrefix(name, "ITEM") {
			if !d.task.Foreach.given() {
				c.warnAt(run.node, m[0], "", "$%s will be empty: the task has no foreach", name)
			}
			continue
		}
		c.wrongAt(run.node, m[0], c.meant(d, name, known), "there will be no $%s", name)
	}
}

// given lists the variables of needs and inputs that a task's command gets.
func (c *compiler) given(d *draft) []string {
	var known []string
	for _, e := range d.edges {
		if len(e.to.outputNames()) == 0 {
			continue // it has no folder
		}
		known = append(known, candor.NeedDirEnv(e.to.key.Value))
		if c.runsMany(d, e) {
			continue
		}
		for _, output := range e.to.outputNames() {
			known = append(known, candor.NeedOutputEnv(e.to.key.Value, output))
		}
	}
	for _, name := range c.vars.names {
		known = append(known, candor.InputEnv(name))
	}
	return known
}

// runsMany tells whether d waits for all items of a task, so that an output of
// it is not one file.
func (c *compiler) runsMany(d *draft, e edge) bool {
	if !e.to.task.Foreach.given() {
		return false
	}
	return e.all || !d.task.Foreach.given() || d.items != e.to.items
}

// meant is what a variable that will not be there should have been.
func (c *compiler) meant(d *draft, name string, known []string) string {
	for _, other := range c.drafts {
		for _, output := range other.outputNames() {
			if candor.NeedOutputEnv(other.key.Value, output) != name {
				continue
			}
			for _, e := range d.edges {
				if e.to == other {
					return fmt.Sprintf("%s runs once for each of its items: their outputs lie in $%s/00000, $%[2]s/00001 and so on",
						other.key.Value, candor.NeedDirEnv(other.key.Value))
				}
			}
			return fmt.Sprintf("add %s to needs", other.key.Value)
		}
	}
	var written []string
	for _, k := range known {
		written = append(written, "$"+k)
	}
	return didYouMean("$"+name, written, "there will be")
}

// assigned tells whether the text itself gives the variable a value.
func assigned(shell, name string) bool {
	return regexp.MustCompile(`(^|[^A-Za-z0-9_$])` + name + `=|\b(read|for|export|local)\b[^\n;]*\b` + name + `\b`).MatchString(shell)
}
