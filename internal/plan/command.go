package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"candor"

	"go.yaml.in/yaml/v3"
)

// refuseVariables keeps values out of shell text: there they would be code.
func (c *compiler) refuseVariables(n *yaml.Node) {
	all, _ := c.pieces(n)
	for _, p := range all {
		if !p.variable {
			continue
		}
		hint := `a command gets inputs as "$INPUT_NAME" and its item as "$ITEM"`
		if name, ok := strings.CutPrefix(p.text, "inputs."); ok && candor.ValidName(name) {
			hint = c.inputHint(name)
		} else if p.text == "item" {
			hint = `write "$ITEM"`
		} else if field, ok := strings.CutPrefix(p.text, "item."); ok && itemField.MatchString(field) {
			hint = fmt.Sprintf(`write "$ITEM_%s"`, candor.EnvName(field))
		} else if step, output, _, ok := neededName(p.text); ok {
			hint = fmt.Sprintf(`write "$%s", which is the path of that file`, candor.NeedOutputEnv(step, output))
		}
		c.wrongAt(n, p.offset, hint, "{{ %s }} in run: a value is never pasted into shell text", clip(p.text))
	}
}

// inputHint is how a command reads an input: the one of that name, or the one
// that was probably meant.
func (c *compiler) inputHint(name string) string {
	if slices.Contains(c.vars.names, name) {
		return fmt.Sprintf(`write "$%s"`, candor.InputEnv(name))
	}
	if near := nearest(name, c.vars.names); near != "" {
		return fmt.Sprintf(`there is no input %s; did you mean "$%s"?`, name, candor.InputEnv(near))
	}
	return fmt.Sprintf(`there is no input %s: declare it under inputs, then write "$%s"`, name, candor.InputEnv(name))
}

// itemField is a field of an item that an argument can name.
var itemField = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// argv gives a command's arguments. If one of them holds the item, which only
// the worker knows, a fixed line of shell puts the arguments together: all that
// is data stands in its positional parameters and in variables, never in its text.
func (c *compiler) argv(d *draft) []string {
	var plain, params []string
	line, hasItem := "exec", false
	param := func(value string) string {
		params = append(params, value)
		return fmt.Sprintf(`"${%d}"`, len(params))
	}
	for _, arg := range d.task.Command.values {
		if !arg.good {
			continue
		}
		all, _ := c.pieces(arg.node)
		var whole, quoted strings.Builder
		for _, p := range all {
			reference, isItem := c.itemReference(d, arg.node, p)
			switch value := c.inputOrText(arg.node, p, isItem); {
			case isItem:
				hasItem = true
				quoted.WriteString(reference)
			case value != "":
				whole.WriteString(value)
				quoted.WriteString(param(value))
			}
		}
		if quoted.Len() == 0 {
			quoted.WriteString(`""`)
		}
		plain, line = append(plain, whole.String()), line+" "+quoted.String()
	}
	if !hasItem {
		if len(plain) > 0 && plain[0] == "" && !d.leftOut {
			c.wrong(d.task.Command.values[0].node, "", "the command names no program")
		}
		return plain
	}
	return append([]string{"sh", "-c", line, "sh"}, params...)
}

// inputOrText is a piece of an argument that is known now.
func (c *compiler) inputOrText(n *yaml.Node, p piece, isItem bool) string {
	if !p.variable || isItem {
		return p.text
	}
	v, known, hint := c.vars.lookup(p.text)
	if !known {
		c.wrongAt(n, p.offset, hint, "unresolved variable {{ %s }}", clip(p.text))
	}
	return v.text
}

// itemReference is how the shell names the item or a field of it, if p does.
func (c *compiler) itemReference(d *draft, n *yaml.Node, p piece) (string, bool) {
	if !p.variable || !isItem(p.text) {
		return "", false
	}
	if !d.task.Foreach.given() {
		c.wrongAt(n, p.offset, "add foreach, or leave {{ item }} out", "the task has no items")
	}
	field, isField := strings.CutPrefix(p.text, "item.")
	if !isField {
		return `"$ITEM"`, true
	}
	if !itemField.MatchString(field) {
		c.wrongAt(n, p.offset, "a field is letters, digits, _ and -", "%q is no field of an item", clip(field))
	}
	return fmt.Sprintf(`"${ITEM_%s?the item has no field %s}"`, candor.EnvName(field), field), true
}
