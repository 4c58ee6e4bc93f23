package candor

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// The part of Validate that looks at what is asked of a model.

// model checks which models may serve a step, and with how much room.
func (c *checker) model(s *Step) error {
	if s.Class != ClassLLM {
		switch {
		case len(s.Accept) > 0 || s.Context != 0:
			return Errorf(CodeInvalid, "accept and num_ctx go with class llm, not %s", s.Class)
		case s.LLM != nil:
			return Errorf(CodeInvalid, "a prompt goes with class llm, not %s", s.Class)
		}
		return nil
	}
	if s.Context < 0 || s.Context > MaxContext {
		return Errorf(CodeInvalid, "num_ctx %d is not within 0 and %d", s.Context, MaxContext)
	}
	seen := map[string]bool{ModelName(s.Model): true}
	for _, other := range s.Accept {
		switch name := ModelName(other); {
		case name == "" || !plainText(other, MaxText):
			return Errorf(CodeInvalid, "a model is one line of 1 to %d bytes: %q", MaxText, clip(other))
		case seen[name]:
			return Errorf(CodeInvalid, "model %s stands twice among those that may serve", clip(other))
		default:
			seen[name] = true
		}
	}
	return nil
}

// llm checks a declared prompt. The steps it needs have been checked.
func (c *checker) llm(s *Step) error {
	l := s.LLM
	switch {
	case l == nil:
		return nil
	case s.Run != "" || len(s.Argv) > 0:
		return Errorf(CodeInvalid, "a command and a prompt are two ways to say what to do: one of them")
	case len(s.Env) > 0:
		return Errorf(CodeInvalid, "a prompt runs no command, so it has no variables")
	case len(l.Messages) > 0 == (len(l.Embed) > 0):
		return Errorf(CodeInvalid, "a prompt has either messages or a text to embed")
	case l.Options.Context != s.Context:
		return Errorf(CodeInvalid, "num_ctx is %d for the model and %d for the prompt", s.Context, l.Options.Context)
	case l.Deadline < 0:
		return Errorf(CodeInvalid, "negative deadline: %s", l.Deadline)
	}
	for _, check := range []func(*Step) error{c.messages, c.answer, c.files, c.parts} {
		if err := check(s); err != nil {
			return err
		}
	}
	return l.Options.check()
}

func (c *checker) messages(s *Step) error {
	last := ""
	for i, m := range s.LLM.Messages {
		switch {
		case !slices.Contains(Roles(), m.Role):
			return Errorf(CodeInvalid, "message %d: %q is not a role: %s", i+1, clip(m.Role), strings.Join(Roles(), ", "))
		case len(m.Parts) == 0:
			return Errorf(CodeInvalid, "message %d is empty", i+1)
		}
		last = m.Role
	}
	if last != "" && last != RoleUser {
		return Errorf(CodeInvalid, "the last message is the one that is answered: role %s, not %s", RoleUser, last)
	}
	return nil
}

// answer checks the schema as far as that goes without knowing JSON Schema.
func (c *checker) answer(s *Step) error {
	schema := s.LLM.Schema
	switch {
	case len(schema) == 0:
		return nil
	case len(s.LLM.Embed) > 0:
		return Errorf(CodeInvalid, "the answer to a text to embed is a vector: no schema")
	case len(schema) > MaxSchema:
		return Errorf(CodeInvalid, "a schema of %d bytes is more than the %d that it may have", len(schema), MaxSchema)
	case !utf8.Valid(schema) || !json.Valid(schema) || !bytes.HasPrefix(bytes.TrimSpace(schema), []byte("{")):
		return Errorf(CodeInvalid, "the schema is not a JSON object: %q", clip(string(schema)))
	}
	return nil
}

// files wants outputs to be files that the worker writes.
func (c *checker) files(s *Step) error {
	known := slices.Sorted(maps.Values(s.LLM.Files(s.Each != nil && s.Each.Chunk > 0)))
	for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
		if file := s.Outputs[name]; !slices.Contains(known, file) {
			return Errorf(CodeInvalid, "output %s: the answer is in %s, not in %q", name, strings.Join(known, " and "), clip(file))
		}
	}
	return nil
}

func (c *checker) parts(s *Step) error {
	texts := [][]Part{s.LLM.Embed}
	for _, m := range s.LLM.Messages {
		texts = append(texts, m.Parts)
	}
	size := 0
	for _, p := range slices.Concat(texts...) {
		size += len(p.Text)
		if err := c.part(s, p); err != nil {
			return err
		}
	}
	if size > MaxPrompt {
		return Errorf(CodeInvalid, "a prompt of %d bytes is more than the %d that it may have", size, MaxPrompt)
	}
	return nil
}

func (c *checker) part(s *Step, p Part) error {
	switch isNeed := p.Need != "" || p.Output != ""; {
	case p.Text != "" && (p.IsItem || isNeed), p.IsItem && isNeed:
		return Errorf(CodeInvalid, "a part of a prompt is a text, the item, or an output: one of them")
	case !utf8.ValidString(p.Text):
		return Errorf(CodeInvalid, "a prompt is UTF-8 text: %q", clip(p.Text))
	case p.Item != "" && !p.IsItem, p.Path != "" && !isNeed:
		return Errorf(CodeInvalid, "a part of a prompt has a path into nothing")
	case !dottedPath(p.Item) || !dottedPath(p.Path):
		return Errorf(CodeInvalid, "%q is not a dotted path", clip(p.Item+p.Path))
	case p.IsItem && s.Each == nil:
		return Errorf(CodeInvalid, "its prompt has the item in it, but it does not fan out")
	case isNeed:
		return c.neededPart(s, p)
	}
	return nil
}

// neededPart wants a content that will be there, and there once.
func (c *checker) neededPart(s *Step, p Part) error {
	i := slices.IndexFunc(s.Needs, func(n Need) bool { return n.Step == p.Need })
	if i < 0 {
		return Errorf(CodeInvalid, "its prompt has an output of %q in it and so needs it", clip(p.Need))
	}
	switch up := c.steps[p.Need]; {
	case up.Outputs[p.Output] == "":
		return Errorf(CodeInvalid, "its prompt has output %q of %q in it, which declares no such output", clip(p.Output), p.Need)
	case s.Needs[i].AllowFailed:
		return Errorf(CodeInvalid, "its prompt has an output of %q in it, whose failure it cannot allow", p.Need)
	case up.Each != nil && !s.Needs[i].Each:
		return Errorf(CodeInvalid, "its prompt has an output of %q in it, which has one for each of its own items", p.Need)
	}
	return nil
}

// dottedPath tells whether p is empty, or names with dots between them.
func dottedPath(p string) bool {
	return p == "" || plainText(p, 1024) && !slices.Contains(strings.Split(p, "."), "")
}
