package plan

import (
	"errors"
	"path/filepath"
	"reflect"

	"candor"
)

// Options are what a caller knows that a plan does not.
type Options struct {
	// Dir is the folder against which relative paths among the given inputs are
	// resolved: the caller's working directory. Empty means the process's own.
	Dir string
	// Warn, if set, is told of each thing that is no error but probably not meant.
	Warn func(*Error)
	// LeftOut, if set, is told of each input that is empty which tasks are no part
	// of the plan for it.
	LeftOut func(input string, tasks []string)
}

// folders are the absolute folders that relative paths start from.
type folders struct {
	plan   string // of defaults and globs
	caller string // of given inputs
}

// Load reads the plan at path, fills in the given inputs (name → value, as text)
// and returns what a client submits. An error is [Errors], with every problem
// found; its code is candor.CodeInvalid.
func Load(path string, in map[string]string, opts Options) (*candor.Submission, error) {
	doc, errs := open(path)
	if errs != nil {
		return nil, errs
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, Errors{{File: path, Message: err.Error()}}
	}
	caller, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, Errors{{File: path, Message: err.Error()}}
	}
	c := &compiler{reader: &reader{doc: doc}, dirs: folders{plan: filepath.Dir(absolute), caller: caller}}
	var f file
	c.into(doc.root, reflect.ValueOf(&f).Elem())
	if len(c.errors) >= maxProblems {
		return nil, c.sorted(c.errors)
	}
	sub := c.compile(f, absolute, in, opts.LeftOut)
	if len(c.errors) == 0 {
		c.verify(sub)
	}
	if len(c.errors) > 0 {
		return nil, c.sorted(c.errors)
	}
	if opts.Warn != nil {
		for _, w := range c.sorted(c.warnings) {
			opts.Warn(w)
		}
	}
	return sub, nil
}

// verify asks the check that the brain will ask again. What it finds was missed
// by everything here that knows the place, so it is placed at the task.
func (c *compiler) verify(sub *candor.Submission) {
	err := sub.Validate()
	if err == nil {
		return
	}
	place := c.doc.root
	if invalid, ok := errors.AsType[*candor.Error](err); ok {
		name, _ := invalid.Detail["step"].(string)
		if d := c.byName[name]; d != nil {
			place = d.key
		}
	}
	c.wrong(place, "", "%s", err)
}
