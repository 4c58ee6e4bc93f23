package plan

import (
	"slices"
	"strings"

	"candor"
)

// way is one of the keys that say what a task does.
type way struct {
	key string
	leaf
}

// ways are the keys that say what to do: a task has one of them.
func (t *task) ways() []way {
	return []way{
		{"run", t.Run.leaf}, {"command", t.Command.leaf},
		{"prompt", t.Prompt.leaf}, {"messages", t.Messages.leaf}, {"embed", t.Embed.leaf},
	}
}

// asks tells whether the task is a prompt of some form, and no command.
func (t *task) asks() bool { return t.Prompt.given() || t.Messages.given() || t.Embed.given() }

// action fills in what to do.
func (c *compiler) action(d *draft) {
	t := &d.task
	given := slices.DeleteFunc(t.ways(), func(w way) bool { return !w.given() })
	switch {
	case len(given) > 1:
		hint := "one of them"
		if given[1].key == "command" {
			hint = "run is given to a shell, command is not: one of them"
		}
		c.wrong(given[1].node, hint, "the task has both %s and %s", given[0].key, given[1].key)
		return
	case len(given) == 0 && d.known && d.step.Class == candor.ClassLLM:
		c.wrong(d.key, "prompt: asks the model; run: and command: are programs that ask it", "the task has none of run, command, prompt, messages and embed")
	case len(given) == 0 && d.known:
		c.wrong(d.key, `a task that only waits for others: run: "true"`, "the task has neither run nor command")
	case t.asks():
		c.prompted(d)
		return
	case t.Run.good && strings.TrimSpace(t.Run.node.Value) == "":
		c.wrong(t.Run.node, "", "nothing to run")
	case t.Run.good:
		d.step.Run = t.Run.node.Value
		c.refuseVariables(t.Run.node)
	case t.Command.good && len(t.Command.values) == 0:
		c.wrong(t.Command.node, "", "nothing to run")
	case t.Command.good:
		d.step.Argv = c.argv(d)
	}
	c.commanded(d)
}

// commanded refuses what only a prompt can have, and fills in what an llm
// command has: the room its model needs.
func (c *compiler) commanded(d *draft) {
	t := &d.task
	if d.step.Class != candor.ClassLLM {
		if t.Class.given() && !candor.Class(t.Class.node.Value).Valid() {
			return // the class was wrong: told there
		}
		for _, w := range append(t.promptKeys(), way{"options", t.Options.leaf}, way{"accept", t.Accept.leaf}) {
			if w.given() {
				c.wrong(w.node, "did you mean class: llm?", "%s goes with class llm, not %s", w.key, d.step.Class)
			}
		}
		return
	}
	for _, w := range t.promptKeys() {
		if w.given() {
			c.wrong(w.node, "a command asks the model itself", "%s goes with prompt or messages", w.key)
		}
	}
	for _, w := range t.Options.object.answering() {
		if w.given() {
			c.wrong(w.node, "a command asks the model itself; num_ctx is all that candor needs to know", "%s goes with prompt or messages", w.key)
		}
	}
	d.step.Context = c.whole(t.Options.object.NumCtx, "num_ctx", 1, candor.MaxContext)
}

// accepted are the other models that may serve.
func (c *compiler) accepted(d *draft) []string {
	if d.step.Class != candor.ClassLLM {
		return nil // told by commanded or prompted
	}
	var all []string
	seen := []string{candor.ModelName(d.step.Model)}
	for _, t := range d.task.Accept.values {
		name := c.text(t.leaf)
		switch spelt := candor.ModelName(name); {
		case name == "": // told already
		case spelt == "":
			c.wrong(t.node, "", "%q is no name of a model", clip(name))
		case spelt == seen[0]:
			c.wrong(t.node, "accept names others that may serve", "%s is the task's own model", clip(name))
		case slices.Contains(seen, spelt):
			c.wrong(t.node, "", "%s stands here twice", clip(name))
		default:
			all, seen = append(all, name), append(seen, spelt)
		}
	}
	return all
}

// promptKeys are the keys that say more about a prompt.
func (t *task) promptKeys() []way {
	return []way{
		{"system", t.System.leaf}, {"schema", t.Schema.leaf}, {"max_tokens", t.MaxTokens.leaf},
		{"deadline", t.Deadline.leaf}, {"strict", t.Strict.leaf},
	}
}
