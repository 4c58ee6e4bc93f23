package candor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Limits of a submission. They keep one request from burying the queue, and
// refuse early what a worker could not start later.
const (
	MaxSteps    = 10_000
	MaxRetries  = 100
	MaxPriority = 1000     // either way
	MaxText     = 200      // bytes of a batch's name or key, a model, a label, a tool
	MaxItemSize = 64 << 10 // bytes of one item as JSON, where a command gets it
	// MaxArgument is what Linux passes as one argument or variable of a process
	// (MAX_ARG_STRLEN, 32 pages of 4 KiB), less the final zero.
	MaxArgument = 128<<10 - 1
)

// Validate says what is wrong with a submission, by itself: the brain trusts no
// client. It returns nil or an *Error with CodeInvalid that names the first
// problem (and in Detail its step). Orders about models do not pass: the brain
// makes them without asking here. What passes has steps in an order in which each comes after what it
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
	case !Passable(s.PlanDir) || !Passable(s.PlanFile):
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
	for _, check := range []func(*Step) error{c.command, c.numbers, c.outputs, c.needs, c.each, c.variables, c.model, c.llm} {
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
	if s.Order != nil {
		return &Error{Code: CodeInvalid, Message: "orders about models are made by candor itself", Hint: "candor model load MODEL"}
	}
	if s.Run != "" && len(s.Argv) > 0 {
		return Errorf(CodeInvalid, "run and argv are two ways to say what to do: one of them")
	}
	if len(s.Argv) > 0 && s.Argv[0] == "" {
		return Errorf(CodeInvalid, "argv names no program")
	}
	for _, arg := range append([]string{s.Run}, s.Argv...) {
		if !Passable(arg) {
			return Errorf(CodeInvalid, "a command is UTF-8 text without zero bytes, at most %d bytes an argument: %q", MaxArgument, clip(arg))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		switch {
		case !ValidEnvName(name):
			return Errorf(CodeInvalid, "%q cannot be the name of an environment variable", clip(name))
		case ReservedEnv(name):
			return Errorf(CodeInvalid, "%s is set by candor itself", name)
		case !Passable(name + "=" + s.Env[name]):
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

// clip keeps untrusted text in messages short.
func clip(s string) string {
	const limit = 80
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
