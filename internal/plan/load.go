package plan

import "candor"

// Options are what a caller knows that a plan does not.
type Options struct {
	// Dir is the folder against which relative paths among the given inputs are
	// resolved: the caller's working directory. Empty means the process's own.
	Dir string
	// Warn, if set, is told of each thing that is no error but probably not meant.
	Warn func(*Error)
}

// Load reads the plan at path, fills in the given inputs (name → value, as text)
// and returns what a client submits. An error is [Errors], with every problem
// found; its code is candor.CodeInvalid.
func Load(path string, in map[string]string, opts Options) (*candor.Submission, error) {
	return nil, Errors{{File: path, Message: "not written yet"}}
}
