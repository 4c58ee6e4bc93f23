package rows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"candor"
)

// pick follows a dotted path into a JSON value: keys of objects, positions in
// lists from 0. what names the value in errors.
func pick(doc json.RawMessage, what, path string) (json.RawMessage, error) {
	if path == "" {
		return doc, nil
	}
	walked := what
	for key := range strings.SplitSeq(path, ".") {
		next, err := step(doc, walked, key)
		if err != nil {
			return nil, err
		}
		doc = next
		walked += "." + key
	}
	return doc, nil
}

func step(doc json.RawMessage, walked, key string) (json.RawMessage, error) {
	switch kind := kindOf(doc); kind {
	case "an object":
		var object map[string]json.RawMessage
		if err := json.Unmarshal(doc, &object); err != nil {
			return nil, fmt.Errorf("%s is broken JSON: %w", walked, err)
		}
		next, there := object[key]
		if !there {
			return nil, fmt.Errorf("%s has no %q%s", walked, key, instead(key, slices.Sorted(maps.Keys(object))))
		}
		return next, nil
	case "a list":
		var list []json.RawMessage
		if err := json.Unmarshal(doc, &list); err != nil {
			return nil, fmt.Errorf("%s is broken JSON: %w", walked, err)
		}
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= len(list) || strconv.Itoa(i) != key {
			return nil, fmt.Errorf("%s is a list of %d, counted from 0, and has no %q", walked, len(list), key)
		}
		return list[i], nil
	default:
		return nil, fmt.Errorf("%s is %s and has no %q", walked, kind, key)
	}
}

// instead says what an object has when it has not what was asked for.
func instead(key string, keys []string) string {
	const shown = 8
	if len(keys) == 0 {
		return ": it is empty"
	}
	if near := candor.Nearest(key, keys); near != "" {
		return fmt.Sprintf(": %q is meant?", near)
	}
	list := strings.Join(keys[:min(len(keys), shown)], ", ")
	if len(keys) > shown {
		list += fmt.Sprintf(" and %d more", len(keys)-shown)
	}
	return ": it has " + clip(list, 400)
}

func kindOf(doc json.RawMessage) string {
	switch doc = bytes.TrimSpace(doc); {
	case len(doc) == 0:
		return "nothing"
	case doc[0] == '{':
		return "an object"
	case doc[0] == '[':
		return "a list"
	case doc[0] == '"':
		return "a text"
	case doc[0] == 't' || doc[0] == 'f':
		return "a truth value"
	case doc[0] == 'n':
		return "null"
	}
	return "a number"
}

// maxValue bounds a value in a prompt, in bytes.
const maxValue = 1 << 20

// textOf is how a value stands in a prompt: a text as it is, anything else as
// JSON on one line. what names it in errors.
func textOf(doc json.RawMessage, what string) (text string, err error) {
	if kindOf(doc) == "a text" {
		err = json.Unmarshal(doc, &text)
	} else {
		text, err = compact(doc)
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("%s is broken JSON: %w", what, err)
	case len(text) > maxValue:
		return "", tooLarge(what, len(text), maxValue)
	}
	return text, nil
}

func tooLarge(what string, size, most int) error {
	return fmt.Errorf("%s has %d bytes, %d more than the %s it may have for a prompt", what, size, size-most, candor.Bytes(most))
}

func dotted(what, path string) string { return strings.TrimSuffix(what+"."+path, ".") }

func compact(doc json.RawMessage) (string, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, doc); err != nil {
		return "", err
	}
	return b.String(), nil
}

// clip cuts a text for people to at most so many bytes, at a character.
func clip(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
