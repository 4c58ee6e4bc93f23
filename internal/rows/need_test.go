package rows_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor"
	"candor/internal/rows"
	"candor/internal/simrt"
)

func TestOutputsInAPrompt(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		name    string
		content string
		path    string
		want    string // in the prompt
		outcome candor.AttemptOutcome
		code    candor.ReasonCode
		words   string
	}{
		{name: "a text", content: "\xef\xbb\xbfwords ${item} {{x}}\n", want: "words ${item} {{x}}\n"},
		{name: "an empty text", content: "", want: ""},
		{name: "a value", content: `{"a":[{"b":"deep"}]}`, path: "a.0.b", want: "deep"},
		{name: "a large document", content: `{"a":"small","b":"` + big + `"}`, path: "a", want: "small"},
		{name: "a large text", content: big + "x", outcome: candor.AttemptPermanent, words: "output up.text has 1048577 bytes, 1 more than the 1 MiB"},
		{name: "a large value", content: `{"a":"` + big + `x"}`, path: "a", outcome: candor.AttemptPermanent, words: "up.text.a has 1048577 bytes"},
		{name: "a misspelt path", content: `{"title":1}`, path: "titel", outcome: candor.AttemptPermanent, words: `up.text has no "titel": "title" is meant?`},
		{name: "no JSON", content: "words", path: "a", outcome: candor.AttemptPermanent, words: "is to have a in it, but is no JSON"},
		{name: "no text", content: "\xff\xfe", outcome: candor.AttemptPermanent, words: "no UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, 1, simrt.Model{})
			eye := spy{Server: d.client}
			d.loan.Server = &eye
			file := filepath.Join(t.TempDir(), "text")
			if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			j := job(t, d, ask(candor.Part{Need: "up", Output: "text", Path: c.path}, candor.Part{Text: "!"}), `1`)
			j.Need = func(step, output string) (string, error) {
				if step != "up" || output != "text" {
					t.Errorf("asked for %s.%s", step, output)
				}
				return file, nil
			}
			_, err := rows.Run(t.Context(), j)
			if c.outcome != "" {
				ended(t, err, c.outcome, candor.ReasonRequestRefused, c.words)
				if len(eye.requests) > 0 {
					t.Error("something was asked")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := eye.requests[0].Messages[1].Text; got != c.want+"!" {
				t.Errorf("sent %q", got)
			}
		})
	}
}

func TestOutputsThatAreNotThere(t *testing.T) {
	folder := t.TempDir()
	for _, c := range []struct {
		name    string
		file    string
		err     error
		outcome candor.AttemptOutcome
		code    candor.ReasonCode
		words   string
	}{
		{"gone", filepath.Join(folder, "none"), nil, candor.AttemptPermanent, candor.ReasonRequestRefused, "is not there any more"},
		{"a folder", folder, nil, candor.AttemptPermanent, candor.ReasonRequestRefused, "is a folder"},
		{"not needed", "", errors.New("up is not needed by this task"), candor.AttemptPermanent, candor.ReasonRequestRefused, "up is not needed"},
		{"unreadable", "bad\x00name", nil, candor.AttemptTransient, candor.ReasonHostFault, "read output up.text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, 1, simrt.Model{})
			j := job(t, d, ask(candor.Part{Need: "up", Output: "text"}), `1`)
			j.Need = func(string, string) (string, error) { return c.file, c.err }
			_, err := rows.Run(t.Context(), j)
			ended(t, err, c.outcome, c.code, c.words)
		})
	}
}

// A schema that cannot be used is said before anything is sent.
func TestABadSchemaIsSaidFirst(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{})
	l := about("title")
	l.Schema = []byte(`{"$ref":"#"}`)
	j := chunk(job(t, d, l, list(3)))
	_, err := rows.Run(t.Context(), j)
	ended(t, err, candor.AttemptPermanent, candor.ReasonRequestRefused, "the schema of its answers cannot be used: schema # refers to itself")
	if len(d.returned) != 0 {
		t.Error("something was asked")
	}
}
