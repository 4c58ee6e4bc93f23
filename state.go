package candor

import "slices"

// Class says what a task needs of a worker.
type Class string

// The classes, in the order in which a GPU worker prefers them.
const (
	ClassResource Class = "resource" // load or unload a model
	ClassScript   Class = "script"   // GPU compute without an LLM
	ClassCPU      Class = "cpu"      // no GPU
	ClassLLM      Class = "llm"      // needs its model loaded
)

// Classes lists all classes in order of preference.
func Classes() []Class { return []Class{ClassResource, ClassScript, ClassCPU, ClassLLM} }

// Valid tells whether c is one of the classes.
func (c Class) Valid() bool { return slices.Contains(Classes(), c) }

// TaskState is where a task stands.
type TaskState string

// The states of a task.
const (
	TaskBlocked    TaskState = "blocked"    // waits for other tasks
	TaskQueued     TaskState = "queued"     // could be claimed, or waits for a stated reason
	TaskProcessing TaskState = "processing" // a worker holds its lease
	TaskComplete   TaskState = "complete"   // final: done, outputs in place
	TaskFailed     TaskState = "failed"     // final: no try left, or not worth one
	TaskCancelled  TaskState = "cancelled"  // final: by a person, an expiry, or a failed need
)

// TaskStates lists the states in the order of a task's life.
func TaskStates() []TaskState {
	return []TaskState{TaskBlocked, TaskQueued, TaskProcessing, TaskComplete, TaskFailed, TaskCancelled}
}

// Final tells whether a task in s will not move unless a person asks.
func (s TaskState) Final() bool {
	return s == TaskComplete || s == TaskFailed || s == TaskCancelled
}

// CanMove is the law of task states. Failed and cancelled tasks move again only
// when a retry is asked for; complete ones never.
func (s TaskState) CanMove(to TaskState) bool {
	switch s {
	case TaskBlocked:
		return to == TaskQueued || to == TaskCancelled
	case TaskQueued:
		return to == TaskProcessing || to == TaskCancelled
	case TaskProcessing:
		return to == TaskComplete || to == TaskFailed || to == TaskQueued || to == TaskCancelled
	case TaskFailed, TaskCancelled:
		return to == TaskQueued || to == TaskBlocked
	default:
		return false
	}
}

// BatchState is where a batch stands.
type BatchState string

// The states of a batch. Which of its tasks ended how, its counts say.
const (
	BatchActive   BatchState = "active"   // some task is not final
	BatchComplete BatchState = "complete" // every task is final
)

// Outcome is how an ended batch is judged.
type Outcome string

// The outcomes of a batch, and their exit codes.
const (
	OutcomeNone      Outcome = ""          // not ended
	OutcomeSucceeded Outcome = "succeeded" // every task complete: exit 0
	OutcomeFailed    Outcome = "failed"    // some failed: exit 3
	OutcomeCancelled Outcome = "cancelled" // none failed, some cancelled: exit 4
)

// WorkerState is where a worker stands.
type WorkerState string

// The states of a worker. A worker without a GPU or model server is ready, not cold.
const (
	WorkerReady     WorkerState = "ready"     // runs cpu and script work, serves no model
	WorkerCold      WorkerState = "cold"      // could serve a model, has none loaded
	WorkerLoading   WorkerState = "loading"   // a load is under way
	WorkerHot       WorkerState = "hot"       // a model is loaded and has produced a token
	WorkerUnloading WorkerState = "unloading" // an unload is under way
	WorkerPaused    WorkerState = "paused"    // by heat, drain or a person
	WorkerLost      WorkerState = "lost"      // silent for longer than the threshold
	WorkerGone      WorkerState = "gone"      // left, or known to be dead
)

// Role is what a token allows.
type Role string

// The roles, each including nothing of the others but what Allows says.
const (
	RoleViewer   Role = "viewer"   // reads
	RoleOperator Role = "operator" // reads and changes
	RoleWorker   Role = "worker"   // registers, claims, reports
)

// Allows tells whether a holder of r may do what needs the role want.
func (r Role) Allows(want Role) bool {
	return r == want || (r == RoleOperator && want == RoleViewer)
}

// Mover says whose move it is.
type Mover string

// The movers.
const (
	MoverYou      Mover = "you"      // the plan or the configuration is wrong: mend it
	MoverSystem   Mover = "system"   // candor will act by itself
	MoverWait     Mover = "wait"     // capacity: others go first
	MoverOperator Mover = "operator" // something is broken or was stopped by a person
)
