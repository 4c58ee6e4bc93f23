package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"candor"
)

// prompted fills in what a prompt says of itself alone. Its texts wait until what
// they speak of is known: see ask.
func (c *compiler) prompted(d *draft) {
	t := &d.task
	if d.step.Class != candor.ClassLLM {
		if !t.Class.given() || candor.Class(t.Class.node.Value).Valid() {
			w := t.ways()[slices.IndexFunc(t.ways(), way.given)]
			c.wrong(w.node, "did you mean class: llm?", "%s goes with class llm, not %s", w.key, d.step.Class)
		}
		return // one problem says it for all that goes with a prompt
	}
	if t.Env.given() {
		c.wrong(t.Env.node, "the texts may hold {{ inputs.name }}", "a prompt runs no command, so it has no variables")
	}
	if t.Embed.given() {
		c.embedded(d)
	}
	d.step.Env = nil
	d.step.LLM = &candor.LLM{
		Schema: c.answerSchema(t.Schema), Options: c.options(t),
		Deadline: c.duration(t.Deadline, time.Millisecond), Strict: isTrue(t.Strict),
	}
	d.step.Context = d.step.LLM.Options.Context
}

// embedded refuses what says nothing about a vector.
func (c *compiler) embedded(d *draft) {
	t := &d.task
	for _, w := range append(t.promptKeys(), t.Options.object.answering()...) {
		if w.given() && w.key != "deadline" && w.key != "strict" {
			c.wrong(w.node, "leave it out", "%s says nothing about a vector", w.key)
		}
	}
	if t.Accept.given() {
		c.wrong(t.Accept.node, "leave it out", "vectors of different models cannot be compared")
	}
}

// ask fills in what a prompt has to do with other tasks: its texts, and the files
// it leaves. What it needs has been placed, and its own items are known as far as
// they can be.
func (c *compiler) ask(d *draft) {
	t, l := &d.task, d.step.LLM
	if t.System.given() {
		c.said(d, candor.RoleSystem, t.System)
	}
	if t.Prompt.given() {
		c.said(d, candor.RoleUser, t.Prompt)
	}
	for _, m := range t.Messages.values {
		c.said(d, c.role(m.Role, t.System), m.Content)
	}
	if t.Messages.good {
		c.lastTurn(t.Messages)
	}
	if t.Embed.given() {
		l.Embed = c.letter(d, t.Embed)
	}
	c.everyRowTheSame(d)
	if t.Strict.given() && !d.inChunks() {
		c.warn(t.Strict.node, "", "strict says nothing without chunk: a row that is a task of its own fails it anyway")
	}
	c.promptOutputs(d)
}

// inChunks tells whether its items are lists of rows.
func (d *draft) inChunks() bool { return d.step.Each != nil && d.step.Each.Chunk > 0 }

func (c *compiler) said(d *draft, role string, text letter) {
	d.step.LLM.Messages = append(d.step.LLM.Messages, candor.Message{Role: role, Parts: c.letter(d, text)})
}

func (c *compiler) role(r plain, system letter) string {
	if !r.good {
		return candor.RoleUser
	}
	role := r.node.Value
	switch {
	case !slices.Contains(candor.Roles(), role):
		c.wrong(r.node, didYouMean(role, candor.Roles(), "the roles"), "%q is not a role", clip(role))
	case role == candor.RoleSystem && system.given():
		c.wrong(r.node, "one of them", "the task has both system and a message of that role")
	}
	return role
}

// lastTurn wants a turn that can be answered.
func (c *compiler) lastTurn(all messages) {
	if len(all.values) == 0 {
		c.wrong(all.node, "", "nothing to answer")
		return
	}
	last := all.values[len(all.values)-1].Role
	if last.good && last.node.Value != candor.RoleUser && slices.Contains(candor.Roles(), last.node.Value) {
		c.wrong(last.node, "the last message is the one that is answered", "the last message is of role %s, not user", last.node.Value)
	}
}

// everyRowTheSame warns of a fan-out that asks the same each time.
func (c *compiler) everyRowTheSame(d *draft) {
	texts := [][]candor.Part{d.step.LLM.Embed}
	for _, m := range d.step.LLM.Messages {
		texts = append(texts, m.Parts)
	}
	own := func(p candor.Part) bool {
		return p.IsItem || slices.ContainsFunc(d.step.Needs, func(n candor.Need) bool { return n.Each && n.Step == p.Need })
	}
	if d.step.Each != nil && len(c.errors) == 0 && !slices.ContainsFunc(slices.Concat(texts...), own) {
		c.warn(d.key, "write {{ item }} where it belongs", "every row is asked the same: there is no {{ item }} in what is asked")
	}
}

// promptOutputs gives the files of a prompt their names: those of the plan, and
// their own where it says nothing.
func (c *compiler) promptOutputs(d *draft) {
	files := d.step.LLM.Files(d.inChunks())
	kept := maps.Clone(files)
	for _, p := range d.task.Outputs.pairs {
		name := p.key.Value
		file, good := d.step.Outputs[name]
		if !good {
			continue
		}
		own := slices.Sorted(maps.Values(files))
		if !slices.Contains(own, file) {
			c.wrong(p.value.node, "like outputs: {"+name+": "+own[0]+"}", "a prompt like this leaves %s, and no %s", strings.Join(own, " and "), clip(file))
			return
		}
		maps.DeleteFunc(kept, func(_, f string) bool { return f == file })
	}
	all := maps.Clone(d.step.Outputs)
	if all == nil {
		all = map[string]string{}
	}
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		if other := all[name]; other != "" {
			c.wrong(d.task.Outputs.node, "give it one as well", "%s is the name of %s, so that %s has none", name, other, kept[name])
		}
		all[name] = cmp.Or(all[name], kept[name])
	}
	d.step.Outputs = all
}
