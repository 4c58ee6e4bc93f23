package candor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a submission. They keep one request from burying the queue, and
// refuse early what a worker could not start later.
const (
	MaxSteps    = 10_000
	MaxRetries  = 100
	MaxPriority = 1000     // either way
	MaxText     = 200      // bytes of a batch's name or key, a model, a label, a tool
	MaxItemSize = 64 << 10 // bytes of one item as JSON
	// MaxArgument is what Linux passes as one argument or variable of a process
	// (MAX_ARG_STRLEN, 32 pages of 4 KiB), less the final zero.
	MaxArgument = 128<<10 - 1
)

// Validate says what is wrong with a submission, by itself: the brain trusts no
// client. It returns nil or an *Error with CodeInvalid that names the first
// problem (and in Detail its step). What passes has steps in an order in which each comes after what it
// needs, so that no cycle is left, and item by item only where items are shared.
func (s *Submission) Validate() error {
	if err := s.validateHead(); err != nil {
		return err
	}
	c := checker{steps: make(map[string]*Step, len(s.Steps)), env: make(map[string]string, len(s.Steps))}
	for i := range s.Steps {
		if err := c.step(&s.Steps[i]); err != nil {
			return &Error{
				Code: CodeInvalid, Message: fmt.Sprintf("step %q", s.Steps[i].Name), Cause: err,
				Detail: map[string]any{"step": s.Steps[i].Name},
			}
		}
	}
	if c.tasks > MaxTasks {
		return Errorf(CodeInvalid, "%d tasks are more than the %d that a batch may hold", c.tasks, MaxTasks)
	}
	return nil
}

func (s *Submission) validateHead() error {
	switch {
	case s.Name == "" || !plainText(s.Name, MaxText):
		return Errorf(CodeInvalid, "%q is no name for a batch: one line of 1 to %d bytes", clip(s.Name), MaxText)
	case !plainText(s.Key, MaxText):
		return Errorf(CodeInvalid, "%q is no key: one line of at most %d bytes", clip(s.Key), MaxText)
	case s.Expires < 0:
		return Errorf(CodeInvalid, "expires is negative: %s", s.Expires)
	case !passable(s.PlanDir) || !passable(s.PlanFile):
		return Errorf(CodeInvalid, "the plan's path cannot be passed to a process: %q", clip(s.PlanDir))
	case len(s.Inputs) > 0 && !(json.Valid(s.Inputs) && bytes.HasPrefix(bytes.TrimSpace(s.Inputs), []byte("{"))):
		return Errorf(CodeInvalid, "inputs are not a JSON object")
	case len(s.Steps) == 0:
		return Errorf(CodeInvalid, "there is no step in it")
	case len(s.Steps) > MaxSteps:
		return Errorf(CodeInvalid, "%d steps are more than the %d that a batch may have", len(s.Steps), MaxSteps)
	}
	return nil
}

// checker holds what the steps before the present one have told.
type checker struct {
	steps map[string]*Step  // those that came before, by name
	env   map[string]string // EnvName of each → its name
	tasks int               // known so far
}

func (c *checker) step(s *Step) error {
	if !ValidName(s.Name) {
		return Errorf(CodeInvalid, "not a name: %s", NameRule)
	}
	if c.steps[s.Name] != nil {
		return Errorf(CodeInvalid, "there are two steps of this name")
	}
	if other, taken := c.env[EnvName(s.Name)]; taken {
		return Errorf(CodeInvalid, "its name and that of %q are the same in environment variables: %s", other, EnvName(s.Name))
	}
	for _, check := range []func(*Step) error{c.command, c.numbers, c.outputs, c.needs, c.each, c.variables} {
		if err := check(s); err != nil {
			return err
		}
	}
	c.steps[s.Name], c.env[EnvName(s.Name)] = s, s.Name
	return nil
}

func (c *checker) command(s *Step) error {
	if !s.Class.Valid() {
		return Errorf(CodeInvalid, "%q is not a class: cpu, script, llm or resource", clip(string(s.Class)))
	}
	if s.Class == ClassLLM && s.Model == "" {
		return Errorf(CodeInvalid, "an llm step names its model")
	}
	if s.Run != "" && len(s.Argv) > 0 {
		return Errorf(CodeInvalid, "run and argv are two ways to say what to do: one of them")
	}
	if len(s.Argv) > 0 && s.Argv[0] == "" {
		return Errorf(CodeInvalid, "argv names no program")
	}
	for _, arg := range append([]string{s.Run}, s.Argv...) {
		if !passable(arg) {
			return Errorf(CodeInvalid, "a command is UTF-8 text without zero bytes, at most %d bytes an argument: %q", MaxArgument, clip(arg))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		switch {
		case !ValidEnvName(name):
			return Errorf(CodeInvalid, "%q cannot be the name of an environment variable", clip(name))
		case ReservedEnv(name):
			return Errorf(CodeInvalid, "%s is set by candor itself", name)
		case !passable(name + "=" + s.Env[name]):
			return Errorf(CodeInvalid, "the value of %s is not UTF-8 text without zero bytes of at most %d bytes", name, MaxArgument)
		}
	}
	return nil
}

func (c *checker) numbers(s *Step) error {
	switch {
	case s.Timeout < 0 || s.NoProgress < 0 || s.Backoff < 0:
		return Errorf(CodeInvalid, "a negative time: timeout %s, no_progress %s, backoff %s", s.Timeout, s.NoProgress, s.Backoff)
	case s.Retries < 0 || s.Retries > MaxRetries:
		return Errorf(CodeInvalid, "%d retries are not within 0 and %d", s.Retries, MaxRetries)
	case s.Priority < -MaxPriority || s.Priority > MaxPriority:
		return Errorf(CodeInvalid, "priority %d is not within %d and %d", s.Priority, -MaxPriority, MaxPriority)
	case s.VRAM < 0:
		return Errorf(CodeInvalid, "negative vram: %s", s.VRAM)
	case !plainText(s.Model, MaxText) || !plainText(s.Requires.Worker, MaxText):
		return Errorf(CodeInvalid, "a model or worker is one line of at most %d bytes: %q, %q", MaxText, clip(s.Model), clip(s.Requires.Worker))
	}
	for _, word := range slices.Concat(s.Requires.Labels, s.Requires.Tools) {
		if word == "" || !plainText(word, MaxText) {
			return Errorf(CodeInvalid, "a label or tool is one line of 1 to %d bytes: %q", MaxText, clip(word))
		}
	}
	return nil
}

func (c *checker) outputs(s *Step) error {
	paths, env := map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
		p := s.Outputs[name]
		if !ValidName(name) {
			return Errorf(CodeInvalid, "%q is no name for an output: %s", clip(name), NameRule)
		}
		if !ValidOutputPath(p) {
			return Errorf(CodeInvalid, "output %s: %q does not stay inside the attempt's folder: a clean relative path, with / between folders", name, clip(p))
		}
		if other, taken := paths[p]; taken {
			return Errorf(CodeInvalid, "outputs %s and %s are the same file", other, name)
		}
		if other, taken := env[EnvName(name)]; taken {
			return Errorf(CodeInvalid, "outputs %s and %s are the same in environment variables", other, name)
		}
		paths[p], env[EnvName(name)] = name, name
	}
	return nil
}

// ValidOutputPath tells whether p names something inside an attempt's folder on
// every platform: relative, clean, with slashes, without control characters. A
// dot at its beginning is left to candor, which marks what it has put in place.
func ValidOutputPath(p string) bool {
	return fs.ValidPath(p) && p[0] != '.' && plainText(p, 1024) && !strings.ContainsAny(p, `\:`)
}

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
	case kinds > 1:
		return Errorf(CodeInvalid, "fans out over one thing: items, the items of another step, or a manifest")
	case e.Same != "":
		return c.same(s)
	case e.From != nil:
		return c.manifest(s)
	}
	c.tasks += len(e.Items)
	for i, item := range e.Items {
		if err := ValidItem(item); err != nil {
			return Errorf(CodeInvalid, "item %d: %v", i, err)
		}
	}
	return nil
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
	c.tasks += len(source.Items)
	return nil
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

// ValidItem says what keeps a JSON value from being an item: it has to reach a
// command as an environment variable with every byte intact.
func ValidItem(item json.RawMessage) error {
	switch {
	case len(item) > MaxItemSize:
		return Errorf(CodeInvalid, "%d bytes are more than the %d that an item may have", len(item), MaxItemSize)
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

// clip keeps untrusted text in messages short.
func clip(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
