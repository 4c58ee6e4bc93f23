package runtime

import "errors"

// Code is what a program matches a fault by. The list is closed.
type Code string

// What can go wrong with a model server.
const (
	CodeMissing      Code = "model.missing"     // the server does not have the model
	CodeTooLarge     Code = "model.too_large"   // it does not fit into memory
	CodeLoading      Code = "model.loading"     // not ready before the time ran out
	CodeNotThisModel Code = "model.wrong"       // the name stands for another content
	CodeBroken       Code = "model.broken"      // the server cannot load it, whatever the room
	CodeContextShort Code = "model.context"     // loaded with a shorter context than asked for
	CodeOnCPU        Code = "model.on_cpu"      // loaded, but not on the GPU
	CodeHeld         Code = "model.held"        // asked to leave, still there
	CodeRunnerGone   Code = "runner.gone"       // the model's process died; the server lives
	CodeGone         Code = "server.gone"       // nobody answers, or the connection broke
	CodeHung         Code = "server.hung"       // connected, but silent
	CodeBusy         Code = "server.busy"       // takes no more requests now
	CodeNotOurs      Code = "server.wrong"      // another program answers
	CodeServerFault  Code = "server.fault"      // an error of its own that says nothing more
	CodeTruncated    Code = "answer.truncated"  // the prompt did not fit the context
	CodeRunaway      Code = "answer.runaway"    // generates without end
	CodeIncomplete   Code = "answer.incomplete" // the stream ended before the answer
	CodeRefused      Code = "request.refused"   // asked for what the server cannot do
	CodeGarbled      Code = "server.garbled"    // answered not what the protocol allows
)

// Scope is the smallest thing that a fault spoils: recovery is no coarser.
type Scope string

// The scopes of a fault.
const (
	ScopeRow    Scope = "row"    // this request; the next one is none the worse
	ScopeModel  Scope = "model"  // every request to this model here
	ScopeServer Scope = "server" // everything on this server
)

// trait is what follows from a code whatever the case.
type trait struct {
	scope Scope
	// passes: the same request may succeed later without anybody's doing, so it
	// is no failed attempt of the task.
	passes bool
}

func traits() map[Code]trait {
	return map[Code]trait{
		CodeMissing:      {ScopeModel, false},
		CodeTooLarge:     {ScopeModel, false},
		CodeLoading:      {ScopeModel, true},
		CodeNotThisModel: {ScopeModel, false},
		CodeBroken:       {ScopeModel, false},
		CodeContextShort: {ScopeModel, false},
		CodeOnCPU:        {ScopeModel, false},
		CodeHeld:         {ScopeModel, true},
		CodeRunnerGone:   {ScopeModel, true},
		CodeGone:         {ScopeServer, true},
		CodeHung:         {ScopeServer, true},
		CodeBusy:         {ScopeServer, true},
		CodeNotOurs:      {ScopeServer, false},
		CodeServerFault:  {ScopeRow, false},
		CodeTruncated:    {ScopeRow, false},
		CodeRunaway:      {ScopeRow, false},
		CodeIncomplete:   {ScopeRow, false},
		CodeRefused:      {ScopeRow, false},
		CodeGarbled:      {ScopeServer, false},
	}
}

// Scope is the smallest thing that the fault spoils; the server's for a code
// outside the list.
func (c Code) Scope() Scope {
	if t, ok := traits()[c]; ok {
		return t.scope
	}
	return ScopeServer
}

// Passes says whether the same request may succeed later by itself or
// elsewhere: such a failure is not the task's.
func (c Code) Passes() bool { return traits()[c].passes }

// Error is a fault with its operands.
type Error struct {
	Code Code
	// Text is one sentence with names and numbers.
	Text string
	// Detail holds the operands of Text, for programs; keys are the constants
	// Detail....
	Detail map[string]any
	Cause  error
}

// Error is the sentence with its cause.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Text
	}
	return e.Text + ": " + e.Cause.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// CodeOf is the code of the first Error in err's chain, else empty.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
