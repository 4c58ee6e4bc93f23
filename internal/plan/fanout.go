package plan

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"candor"

	"go.yaml.in/yaml/v3"
)

// fanOut fills in what a task fans out over. The tasks it needs come before.
func (c *compiler) fanOut(d *draft) {
	f := d.task.Foreach
	if !f.good {
		return
	}
	switch o := f.object; {
	case f.task != "":
		c.share(d)
	case o.Glob.good:
		c.glob(d)
	case o.Items.good:
		c.items(d)
	case o.File.good:
		c.file(d)
	case o.From.good:
		c.manifest(d)
	}
	if o := f.object; o.Chunk.given() && d.step.Each != nil {
		c.chunk(d)
	}
}

// chunk gathers the items. Equal items in unequal chunks are not the same items.
func (c *compiler) chunk(d *draft) {
	node := d.task.Foreach.object.Chunk.node
	n := c.whole(d.task.Foreach.object.Chunk, "chunk", 1, candor.MaxChunk)
	d.step.Each.Chunk = n
	d.items += fmt.Sprintf(" in chunks of %d", n)
	if err := d.step.FitChunks(); err != nil {
		c.wrong(node, "take a smaller chunk", "%s", err)
	}
}

// fitItem says what keeps a value from being an item of the task.
func (d *draft) fitItem(item json.RawMessage) error {
	if d.task.asks() {
		return candor.ValidRow(item)
	}
	return candor.ValidItem(item)
}

// share takes the items of another task.
func (c *compiler) share(d *draft) {
	other := c.byName[d.task.Foreach.task]
	if other == nil {
		return
	}
	if !other.task.Foreach.given() {
		c.wrong(d.task.Foreach.node, "give it a foreach, or say here what the items are", "%s has no items to share: it runs once", other.key.Value)
		return
	}
	for i, row := range other.rows {
		if err := d.fitItem(row); err != nil {
			c.wrong(d.task.Foreach.node, "a prompt may share it, since it puts nothing into variables", "item %d of %s %s", i, other.step.Name, err)
			break
		}
	}
	d.items, d.rows = other.items, other.rows
	d.step.Each = &candor.Each{Same: other.step.Name}
	if other.step.Each != nil {
		d.step.Each.Chunk = other.step.Each.Chunk
	}
}

func (c *compiler) items(d *draft) {
	node := d.task.Foreach.object.Items.node
	var items []json.RawMessage
	var ok bool
	if node.Kind == yaml.SequenceNode {
		items, ok = c.writtenItems(d, node)
	} else {
		items, ok = c.listInput(d, node)
	}
	if !ok {
		return
	}
	d.items, d.rows = "items "+string(encoded(items)), items
	d.step.Each = &candor.Each{Items: items}
}

func (c *compiler) writtenItems(d *draft, node *yaml.Node) ([]json.RawMessage, bool) {
	if c.tooMany(d, len(node.Content)) {
		return nil, false
	}
	items, good := make([]json.RawMessage, 0, len(node.Content)), true
	for _, child := range node.Content {
		raw, ok := c.jsonWith(child, &c.vars)
		if !ok {
			good = false
			continue
		}
		if err := d.fitItem(raw); err != nil {
			c.wrong(child, "", "an item %s", err)
		}
		items = append(items, raw)
	}
	return items, good
}

// listInput takes the items from an input.
func (c *compiler) listInput(d *draft, node *yaml.Node) ([]json.RawMessage, bool) {
	v, ok := c.single(node, c.vars)
	if !ok || v.Type != InputList {
		if _, known := c.expand(node, c.vars, nil); known {
			c.wrong(node, `like [a, b, c], or a list input: "{{ inputs.name }}"`, "a list is wanted here, not %s", kindOf(node))
		}
		return nil, false
	}
	return v.list, !c.tooMany(d, len(v.list))
}

// tooMany refuses more tasks than a fan-out may make, or more rows than may be in
// chunks.
func (c *compiler) tooMany(d *draft, n int) bool {
	tasks, place := n, d.task.Foreach.node
	if chunk := d.task.Foreach.object.Chunk; chunk.good {
		each := 0
		if written, ok := c.expand(chunk.node, c.vars, nil); ok {
			each, _ = strconv.Atoi(written)
		}
		tasks = (&candor.Each{Chunk: each}).TasksOf(n)
	}
	switch {
	case n > candor.MaxRows:
		c.wrong(place, "cut the work into several batches", "%d rows are more than the %d that a task may have in chunks", n, candor.MaxRows)
	case tasks > candor.MaxItems && tasks < n:
		c.wrong(place, "take a larger chunk", "%d rows make %d tasks, more than the %d that a task may fan out into", n, tasks, candor.MaxItems)
	case tasks > candor.MaxItems:
		c.wrong(place, "gather them with chunk: 20, or cut the work into several batches", "%d items are more than the %d that a task may fan out over", n, candor.MaxItems)
	default:
		return false
	}
	return true
}

func (c *compiler) glob(d *draft) {
	g := d.task.Foreach.object.Glob
	pattern, ok := c.pattern(g)
	if !ok {
		return
	}
	if d.leftOut { // what does not run looks at no files
		d.items, d.step.Each = "glob "+pattern, &candor.Each{Glob: pattern}
		return
	}
	found, seen := c.globs[pattern]
	if !seen {
		found = glob(pattern)
		c.globs[pattern] = found
	}
	switch {
	case found.err != nil:
		c.wrong(g.node, found.hint, "%s", found.err)
		return
	case found.count > candor.MaxItems:
		c.wrong(g.node, "narrow the pattern, or cut the work into several batches", "more than %d files match, which is the most a task may fan out over", candor.MaxItems)
		return
	}
	for _, left := range found.left {
		c.warn(g.node, "", "left out: %s", left)
	}
	d.items, d.rows = "glob "+pattern, found.items
	d.step.Each = &candor.Each{Glob: pattern, Items: found.items}
}

// manifestName reads task.output.
func (c *compiler) manifestName(f foreach) (task, output string, ok bool) {
	from := f.object.From
	written, ok := c.filled(from.leaf)
	if !ok {
		return "", "", false
	}
	task, output, ok = strings.Cut(written, ".")
	return task, output, ok && task != "" && output != ""
}

func (c *compiler) manifest(d *draft) {
	f := d.task.Foreach
	node := f.object.From.node
	name, output, ok := c.manifestName(f)
	if !ok {
		c.wrong(node, "like from: scan.manifest", "a task and one of its outputs are wanted here, not %q", clip(node.Value))
		return
	}
	writer := c.byName[name]
	if writer == nil || !writer.placed {
		return
	}
	if writer.task.Foreach.given() {
		c.wrong(node, "let one task gather them into one list", "%s runs once for each of its items: it would write many lists", name)
		return
	}
	if writer.step.Outputs[output] == "" && !writer.leftOut {
		var names []string
		for _, written := range writer.outputNames() {
			names = append(names, name+"."+written)
		}
		hint := fmt.Sprintf("%s declares no outputs: add outputs: {%s: %s.json}", name, clip(output), clip(output))
		if len(names) > 0 {
			hint = didYouMean(name+"."+output, names, "it declares")
		}
		c.wrong(node, hint, "%s has no output %q", name, clip(output))
		return
	}
	m := &candor.Manifest{Step: name, Output: output, Path: c.path(f.object.Path)}
	for _, e := range d.edges {
		if e.to == writer && e.allowFailed {
			c.wrong(e.node, "leave allow_failed out", "%s writes the list of items: there is none if it fails", name)
		}
	}
	d.items = "from " + m.Key()
	d.step.Each = &candor.Each{From: m}
}

func (c *compiler) path(p plain) string {
	if !p.good {
		return ""
	}
	for segment := range strings.SplitSeq(p.node.Value, ".") {
		if segment == "" {
			c.wrong(p.node, "like files or result.files; leave path out for the whole document", "%q is not a dotted path", clip(p.node.Value))
			return ""
		}
	}
	return p.node.Value
}

// release says for each need whether item i waits for item i or for all: item by
// item where both fan out over the same, unless all was asked for.
func (c *compiler) release(d *draft) {
	for _, e := range d.edges {
		if e.to.leftOut && !d.leftOut {
			continue
		}
		need := candor.Need{Step: e.to.step.Name, AllowFailed: e.allowFailed}
		need.Each = !e.all && d.items != "" && d.items == e.to.items
		d.step.Needs = append(d.step.Needs, need)
		if need.Each && d.step.Each.Same == "" && d.step.Each.From == nil {
			// Sent once, by the task that has them first.
			d.step.Each.Same, d.step.Each.Items = need.Step, nil
		}
	}
}
