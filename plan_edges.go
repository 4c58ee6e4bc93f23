package candor

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"unicode/utf8"
)

// The part of Validate that looks at more than one step: needs, shared items,
// manifests.

func (c *checker) needs(s *Step) error {
	seen := make(map[string]bool, len(s.Needs))
	for _, n := range s.Needs {
		needed := c.steps[n.Step]
		if needed == nil {
			return Errorf(CodeInvalid, "needs %q, which is not among the steps before it", clip(n.Step))
		}
		if seen[n.Step] {
			return Errorf(CodeInvalid, "needs %q twice", n.Step)
		}
		seen[n.Step] = true
		if n.Each && !c.sameItems(s, needed) {
			return Errorf(CodeInvalid, "waits for %q item by item, but does not fan out over the same items", n.Step)
		}
	}
	return nil
}

// sameItems tells whether item i of a and item i of b belong together.
func (c *checker) sameItems(a, b *Step) bool {
	x, y := c.source(a), c.source(b)
	switch {
	case x == nil || y == nil:
		return false
	case x.Chunk != y.Chunk:
		return false
	case x.From != nil || y.From != nil:
		return x.From != nil && y.From != nil && x.From.Key() == y.From.Key()
	default:
		return len(x.Items) == len(y.Items)
	}
}

// source follows Same to the step that says what the items are. It ends, since
// Same names a step that came before.
func (c *checker) source(s *Step) *Each {
	for s != nil && s.Each != nil && s.Each.Same != "" {
		s = c.steps[s.Each.Same]
	}
	if s == nil {
		return nil
	}
	return s.Each
}

func (c *checker) each(s *Step) error {
	if s.Each == nil {
		c.tasks++
		return nil
	}
	e, kinds := s.Each, 0
	for _, is := range []bool{len(e.Items) > 0, e.Same != "", e.From != nil} {
		if is {
			kinds++
		}
	}
	switch {
	case e.Chunk < 0 || e.Chunk > MaxChunk:
		return Errorf(CodeInvalid, "chunk %d is not within 0 and %d", e.Chunk, MaxChunk)
	case kinds > 1:
		return Errorf(CodeInvalid, "fans out over one thing: items, the items of another step, or a manifest")
	case e.Same != "":
		return c.same(s)
	case e.From != nil:
		return c.manifest(s)
	}
	c.tasks += e.Tasks()
	if err := s.FitItems(e.Items); err != nil {
		return err
	}
	if e.Chunk > 0 && len(e.Items) > MaxRows {
		return Errorf(CodeInvalid, "%d rows are more than the %d that a step may have", len(e.Items), MaxRows)
	}
	return s.FitChunks()
}

// FitItem says what keeps a JSON value from being an item of the step. Only a
// command has to have it in a variable.
func (s *Step) FitItem(item json.RawMessage) error {
	if s.LLM != nil {
		return ValidRow(item)
	}
	return ValidItem(item)
}

// FitItems says which item the step cannot have.
func (s *Step) FitItems(items []json.RawMessage) error {
	for i, item := range items {
		if err := s.FitItem(item); err != nil {
			return Errorf(CodeInvalid, "item %d: %v", i, err)
		}
	}
	return nil
}

// FitChunks says which chunk of a step's known rows is more than a task can be given.
func (s *Step) FitChunks() error {
	if s.Each == nil || s.Each.Chunk <= 0 {
		return nil
	}
	limit, why := MaxChunkSize, "of one task may have"
	if s.LLM == nil {
		limit, why = MaxItemSize, "of a command's variable may have"
	}
	for i := 0; i < len(s.Each.Items); i += s.Each.Chunk {
		rows := s.Each.Items[i:min(i+s.Each.Chunk, len(s.Each.Items))]
		if size := listSize(rows); size > limit {
			return Errorf(CodeInvalid, "rows %d to %d are %d bytes of JSON, more than the %d that the rows %s", i+1, i+len(rows), size, limit, why)
		}
	}
	return nil
}

// listSize is how many bytes a JSON list of the rows has.
func listSize(rows []json.RawMessage) int {
	size := len("[]") + len(rows) - 1
	for _, row := range rows {
		size += len(row)
	}
	return size
}

func (c *checker) same(s *Step) error {
	other := s.Each.Same
	if !slices.ContainsFunc(s.Needs, func(n Need) bool { return n.Step == other }) {
		return Errorf(CodeInvalid, "shares the items of %q and so needs it", clip(other))
	}
	source := c.source(s)
	if source == nil {
		return Errorf(CodeInvalid, "shares the items of %q, which has none", other)
	}
	if source.Chunk != s.Each.Chunk {
		return Errorf(CodeInvalid, "shares the items of %q, which are in chunks of %d, not %d", other, source.Chunk, s.Each.Chunk)
	}
	c.tasks += source.Tasks()
	return s.fitShared(source)
}

// fitShared says which item of another step is more than this one can be given.
func (s *Step) fitShared(source *Each) error {
	if s.LLM != nil {
		return nil
	}
	own := Step{Each: &Each{Items: source.Items, Chunk: source.Chunk}}
	if err := own.FitItems(source.Items); err != nil {
		return err
	}
	return own.FitChunks()
}

func (c *checker) manifest(s *Step) error {
	m := s.Each.From
	i := slices.IndexFunc(s.Needs, func(n Need) bool { return n.Step == m.Step })
	if i < 0 {
		return Errorf(CodeInvalid, "takes its items from %q and so needs it", clip(m.Step))
	}
	writer := c.steps[m.Step]
	switch {
	case s.Needs[i].AllowFailed:
		return Errorf(CodeInvalid, "takes its items from %q, whose failure it cannot allow", m.Step)
	case writer.Each != nil:
		return Errorf(CodeInvalid, "takes its items from %q, which writes a list for each of its own items", m.Step)
	case writer.Outputs[m.Output] == "":
		return Errorf(CodeInvalid, "takes its items from output %q of %q, which declares no such output", clip(m.Output), m.Step)
	case !plainText(m.Path, 1024):
		return Errorf(CodeInvalid, "%q is not a dotted path", clip(m.Path))
	}
	return nil
}

// variables refuses a step for which two needs would set the same variable.
func (c *checker) variables(s *Step) error {
	set := map[string]string{}
	claim := func(env, by string) error {
		if other, taken := set[env]; taken {
			return Errorf(CodeInvalid, "both %s and %s would be $%s", other, by, env)
		}
		set[env] = by
		return nil
	}
	for _, n := range s.Needs {
		if err := claim(NeedDirEnv(n.Step), "the folder of "+n.Step); err != nil {
			return err
		}
		for _, output := range slices.Sorted(maps.Keys(c.steps[n.Step].Outputs)) {
			if err := claim(NeedOutputEnv(n.Step, output), "output "+output+" of "+n.Step); err != nil {
				return err
			}
		}
	}
	return nil
}

// ValidItem says what keeps a JSON value from being an item of any step: it has
// to reach a command as an environment variable with every byte intact.
func ValidItem(item json.RawMessage) error {
	return validItem(item, MaxItemSize, "that an item may have where a command gets it")
}

// ValidRow says what keeps a JSON value from being an item of a prompt, which
// goes into no variable.
func ValidRow(item json.RawMessage) error {
	return validItem(item, MaxRowSize, "that an item may have")
}

func validItem(item json.RawMessage, most int, why string) error {
	switch {
	case len(item) > most:
		return Errorf(CodeInvalid, "has %d bytes, more than the %d %s", len(item), most, why)
	case !utf8.Valid(item) || !json.Valid(item):
		return Errorf(CodeInvalid, "not JSON: %q", clip(string(item)))
	case bytes.Contains(item, []byte(`\u0000`)) && hasZero(item):
		return Errorf(CodeInvalid, "holds a zero byte, which no environment variable can: %q", clip(string(item)))
	}
	return nil
}

// hasZero tells an escaped zero character from an escaped backslash before u0000.
func hasZero(item json.RawMessage) bool {
	return bytes.Contains(bytes.ReplaceAll(item, []byte(`\\`), nil), []byte(`\u0000`))
}
