package config

import (
	"errors"
	"strings"

	"candor"
)

// Errors is all that is wrong with the settings, the weakest source first and
// each file in its order. One alone is a *candor.Error.
type Errors []*candor.Error

// Error is all of it in one line, as a log wants it.
func (es Errors) Error() string {
	texts := make([]string, len(es))
	for i, e := range es {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap gives the single errors, and through them the code.
func (es Errors) Unwrap() []error {
	all := make([]error, len(es))
	for i, e := range es {
		all[i] = e
	}
	return all
}

// AllOf takes an error of Load apart; nil if it is of another kind.
func AllOf(err error) []*candor.Error {
	if es, ok := errors.AsType[Errors](err); ok {
		return es
	}
	if e, ok := errors.AsType[*candor.Error](err); ok {
		return []*candor.Error{e}
	}
	return nil
}

// faults gathers what is wrong, while the rest is read on.
type faults struct{ all Errors }

// add notes an error; one that is not about the settings is given back.
func (f *faults) add(err error) error {
	if err == nil {
		return nil
	}
	found := AllOf(err)
	if found == nil {
		return err
	}
	f.all = append(f.all, found...)
	return nil
}

func (f *faults) err() error {
	switch len(f.all) {
	case 0:
		return nil
	case 1:
		return f.all[0]
	default:
		return f.all
	}
}
