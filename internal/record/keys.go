package record

import "log/slog"

// The keys under which candor logs. An id is always under the same key, so
// that one grep follows a task through brain, worker and children.
const (
	KeyTime      = slog.TimeKey
	KeyLevel     = slog.LevelKey
	KeyMessage   = slog.MessageKey
	KeyComponent = "component" // "brain" or the worker's name; the console's second brackets

	KeyWorker  = "worker"  // worker name
	KeyPlan    = "plan"    // plan name
	KeyBatch   = "batch"   // full batch id
	KeyTask    = "task"    // full task id; sentences carry a short one
	KeyName    = "name"    // task name as in the plan
	KeyClass   = "class"   // task class
	KeyAttempt = "attempt" // attempt number, from 1
	KeyLease   = "lease"   // fencing number
	KeyModel   = "model"   // model name
	KeyState   = "state"   // state after the event

	KeyCode       = "code"        // code of the event or error, from a closed list
	KeyReason     = "reason"      // reason code, from a closed list
	KeyError      = "error"       // the error's text
	KeyStack      = "stack"       // goroutine stack of a crash
	KeyDurationMS = "duration_ms" // whole milliseconds
	KeyCount      = "count"       // how many the sentence speaks of
	KeyRepeats    = "repeats"     // how often a folded record came, the first included
	KeyRepeatMS   = "repeat_ms"   // from the first of them to the last

	KeyPID    = "pid"    // process id
	KeySignal = "signal" // signal name, "KILL (9)"
	KeyExit   = "exit"   // exit code of a process
	KeyURL    = "url"
	KeyPort   = "port"
)

// keyFold carries the mark set by Fold; it is taken out before any output.
const keyFold = "candor.fold"
