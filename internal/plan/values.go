package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"candor"
)

// value is an input filled in.
type value struct {
	Input
	text string          // as commands get it
	raw  json.RawMessage // as JSON
	list []json.RawMessage
	// broken: there is none, which has been reported. What would be made of it is
	// left alone: a glob of nothing but its end could be the whole disk.
	broken bool
}

// fill gives each input its value, from what was given or its default.
func (r *reader) fill(all []declaration, given map[string]string, dirs folders) map[string]value {
	values := map[string]value{}
	names := make([]string, len(all))
	for i, d := range all {
		names[i] = d.Name
		text, isGiven := given[d.Name]
		v, err := value{Input: d.Input}, error(nil)
		switch {
		case d.Type == "":
			continue
		case isGiven:
			if err = v.parse(text, dirs.caller); err != nil {
				r.wrong(d.key, "", "input %s, as given: %s", d.Name, err)
			}
		case d.Default != nil:
			if err = v.fromDefault(dirs.plan); err != nil {
				r.wrong(d.base, "", "the default of %s: %s", d.Name, err)
			}
		case d.base != nil:
			v.broken = true // reported already
		case d.Required:
			v.broken = true
			r.wrong(d.key, fmt.Sprintf("give it: -i %s=…", d.Name), "input %s has no default and was not given", d.Name)
		default:
			v.raw = json.RawMessage("null")
		}
		v.broken = v.broken || err != nil
		values[d.Name] = v
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(names, name) {
			hint := "the plan declares no inputs"
			if len(names) > 0 {
				hint = didYouMean(name, names, "its inputs")
			}
			r.errors = append(r.errors, &Error{File: r.doc.file, Message: fmt.Sprintf("there is no input %q", clip(name)), Hint: hint})
		}
	}
	return values
}

func (v *value) fromDefault(dir string) error {
	v.raw = v.Default
	switch v.Type {
	case InputString, InputPath:
		var text string
		if err := json.Unmarshal(v.Default, &text); err != nil {
			return err
		}
		return v.parse(text, dir)
	case InputList:
		v.text = string(v.Default)
		return json.Unmarshal(v.Default, &v.list)
	}
	v.text = string(v.Default)
	return nil
}

// parse reads a value given as text.
func (v *value) parse(text, dir string) error {
	if !candor.Passable(text) {
		return fmt.Errorf("a value is UTF-8 text without zero bytes, at most %d bytes long", candor.MaxArgument)
	}
	v.text = text
	switch v.Type {
	case InputPath:
		if text == "" {
			return fmt.Errorf("an empty path")
		}
		if !filepath.IsAbs(text) {
			text = filepath.Join(dir, text)
		}
		v.text = filepath.Clean(text)
		v.raw = quoted(v.text)
	case InputInt:
		n, err := wholeNumber(text)
		if err != nil {
			return err
		}
		v.text, v.raw = fmt.Sprint(n), json.RawMessage(fmt.Sprint(n))
	case InputNumber:
		raw, err := finiteNumber(text)
		if err != nil {
			return err
		}
		v.text, v.raw = string(raw), raw
	case InputBool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false", clip(text))
		}
		v.raw = json.RawMessage(text)
	case InputList:
		return v.parseList(text)
	default:
		v.raw = quoted(text)
	}
	return nil
}

// parseList reads a JSON list, or texts with commas between them.
func (v *value) parseList(text string) error {
	v.list = []json.RawMessage{}
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		if err := json.Unmarshal([]byte(text), &v.list); err != nil {
			return fmt.Errorf("%q begins like a JSON list but is none", clip(text))
		}
	} else if text != "" {
		for part := range strings.SplitSeq(text, ",") {
			v.list = append(v.list, quoted(strings.TrimSpace(part)))
		}
	}
	v.raw = encoded(v.list)
	v.text = string(v.raw)
	return nil
}
