package plan

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"candor"

	"go.yaml.in/yaml/v3"
)

// The values of leaves, variables filled in. What is wrong is reported, and a
// zero value returned, so that the reader can go on to the next thing.

// filled is a text with its variables filled in. It is false if there is none,
// or if it was wrong.
func (c *compiler) filled(l leaf) (string, bool) {
	if !l.good {
		return "", false
	}
	return c.expand(l.node, c.vars, nil)
}

// text is a text that may not be empty where it is given.
func (c *compiler) text(l leaf) string {
	s, ok := c.filled(l)
	if ok && s == "" {
		c.wrong(l.node, "leave the key out for none", "an empty text")
	}
	return s
}

func (c *compiler) texts(l list[text]) []string {
	var all []string
	for _, t := range l.values {
		all = append(all, c.text(t.leaf))
	}
	return all
}

// duration wants a unit and refuses less than least.
func (c *compiler) duration(d duration, least time.Duration) candor.Duration {
	s, ok := c.filled(d.leaf)
	if !ok {
		return 0
	}
	v, err := time.ParseDuration(s)
	switch {
	case err != nil && isNumber(s):
		c.wrong(d.node, "write "+clip(s)+"s for seconds or "+clip(s)+"m for minutes", "%s of what? A duration has a unit", clip(s))
	case err != nil:
		c.wrong(d.node, "write it with a unit, like 90s, 10m or 1h30m", "%q is not a duration", clip(s))
	case v < 0:
		c.wrong(d.node, "", "a negative duration: %s", clip(s))
	case v < least:
		c.wrong(d.node, "leave it out for no limit", "%s is less than the %s that can be measured", clip(s), least)
	default:
		return candor.Duration(v)
	}
	return 0
}

func isNumber(s string) bool {
	_, err := finiteNumber(s)
	return err == nil
}

// whole wants a whole number within bounds.
func (c *compiler) whole(w whole, what string, least, most int) int {
	s, ok := c.filled(w.leaf)
	if !ok {
		return 0
	}
	n, err := wholeNumber(s)
	switch {
	case err != nil:
		c.wrong(w.node, "", "%s", err)
	case n < int64(least) || n > int64(most):
		c.wrong(w.node, "", "%s %d is not within %d and %d", what, n, least, most)
	default:
		return int(n)
	}
	return 0
}

// number wants a number within bounds; nil where none is given.
func (c *compiler) number(n number, what string, least, most float64) *float64 {
	s, ok := c.filled(n.leaf)
	if !ok {
		return nil
	}
	raw, err := finiteNumber(s)
	if err != nil {
		c.wrong(n.node, "", "%s", err)
		return nil
	}
	var v float64
	if err := json.Unmarshal(raw, &v); err != nil || v < least || v > most {
		c.wrong(n.node, "", "%s %s is not within %v and %v", what, clip(s), least, most)
		return nil
	}
	return &v
}

func (c *compiler) amount(a amount) candor.Bytes {
	s, ok := c.filled(a.leaf)
	if !ok {
		return 0
	}
	v, err := candor.ParseBytes(s)
	if err != nil {
		c.wrong(a.node, amountHint(s), "%q is not an amount of memory", clip(s))
		return 0
	}
	return v
}

// amountHint suggests the unit that was probably meant.
func amountHint(s string) string {
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	unit := s[len(number):]
	near := candor.Nearest(unit, []string{"KiB", "MiB", "GiB", "TiB", "KB", "MB", "GB", "TB"})
	if number = strings.TrimSpace(number); near != "" && isNumber(number) {
		if _, err := candor.ParseBytes(number + near); err == nil {
			return fmt.Sprintf("did you mean %s%s?", clip(number), near)
		}
	}
	return "write it like 6GiB, 500MB or a plain number of bytes"
}

// name checks a name of the plan, and that no other one is the same in the names
// of environment variables; taken is EnvName → name.
func (r *reader) name(n *yaml.Node, what string, taken map[string]string) bool {
	if !candor.ValidName(n.Value) {
		hint := candor.NameRule
		if better := strings.ReplaceAll(strings.ToLower(n.Value), " ", "-"); candor.ValidName(better) {
			hint = "did you mean \"" + better + "\"? A name is " + candor.NameRule
		}
		r.wrong(n, hint, "%q is no name for %s", clip(n.Value), what)
		return false
	}
	env := candor.EnvName(n.Value)
	if other := taken[env]; other != "" {
		r.wrong(n, "", "%s and %s are both %s in environment variables", other, n.Value, env)
		return false
	}
	taken[env] = n.Value
	return true
}
