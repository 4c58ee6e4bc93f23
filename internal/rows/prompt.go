package rows

import (
	"encoding/json"
	"iter"
	"strings"

	"candor"
	"candor/internal/runtime"
)

// prompt is what one row asks: a conversation, or a text to embed.
type prompt struct {
	messages []runtime.Message
	embed    string
}

// parts are all parts of a step's prompt.
func parts(l *candor.LLM) iter.Seq[candor.Part] {
	return func(yield func(candor.Part) bool) {
		for _, p := range l.Embed {
			if !yield(p) {
				return
			}
		}
		for _, m := range l.Messages {
			for _, p := range m.Parts {
				if !yield(p) {
					return
				}
			}
		}
	}
}

// render fills a row's values into the prompt, once: what a value says is not
// looked at again.
func render(l *candor.LLM, item json.RawMessage, found needs) (prompt, error) {
	var p prompt
	var err error
	if len(l.Embed) > 0 {
		p.embed, err = renderText(l.Embed, item, found)
		return p, err
	}
	for _, m := range l.Messages {
		text, err := renderText(m.Parts, item, found)
		if err != nil {
			return prompt{}, err
		}
		p.messages = append(p.messages, runtime.Message{Role: m.Role, Text: text})
	}
	return p, nil
}

func renderText(all []candor.Part, item json.RawMessage, found needs) (string, error) {
	var b strings.Builder
	for _, p := range all {
		switch {
		case p.Need != "":
			b.WriteString(found[p])
		case p.IsItem:
			text, err := itemText(item, p.Item)
			if err != nil {
				return "", err
			}
			b.WriteString(text)
		default:
			b.WriteString(p.Text)
		}
	}
	return b.String(), nil
}

func itemText(item json.RawMessage, path string) (string, error) {
	value, err := pick(item, "item", path)
	if err != nil {
		return "", err
	}
	return textOf(value, dotted("item", path))
}
