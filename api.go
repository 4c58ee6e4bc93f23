package candor

import (
	"encoding/json"
	"time"
)

// Protocol is the version of what workers and brains say to each other.
//
//	1  2026-11-24  the first
//	2  2026-11-28  Void: a lease is taken back from a worker that does not name it
//	               only once it has said that it will never start it
//	3  2026-11-28  Programs: a worker tells all that its PATH has, not which of a list
const Protocol = 3

// SubmitReply answers a submission.
type SubmitReply struct {
	Batch    BatchID   `json:"batch_id"`
	Tasks    int       `json:"tasks"`
	Warnings []Warning `json:"warnings,omitempty"`
}

// Warning is something a submitter should know, though it is no error.
type Warning struct {
	Step   string `json:"step,omitempty"`
	Reason Reason `json:"reason"`
}

// Preview says who could take what, by the code that decides.
type Preview struct {
	Steps []PreviewStep `json:"steps"`
	Tasks int           `json:"tasks"` // known now; items from manifests come on top
}

// PreviewStep is one step of a previewed plan.
type PreviewStep struct {
	Name    string         `json:"name"`
	Class   Class          `json:"class"`
	Tasks   int            `json:"tasks"` // -1: known only after another task has run
	Needs   []Need         `json:"needs,omitempty"`
	Workers []WorkerChecks `json:"workers"`
	Reason  *Reason        `json:"reason,omitempty"` // why no worker could, if none could
}

// RegisterRequest is a worker's first word.
type RegisterRequest struct {
	Protocol int        `json:"protocol"`
	Info     WorkerInfo `json:"info"`
	View     View       `json:"view"`
	// Holds lists leases whose attempts are still alive in this very process (a
	// brain restarted); every other lease of this worker is over.
	Holds []int64 `json:"holds,omitempty"`
	// Verified: no process of a former session of this worker is left alive.
	Verified bool `json:"verified"`
	// Leftover names processes of a former session that could not be ended.
	Leftover []string `json:"leftover,omitempty"`
	// Catalog is what its model server could load; nil: it has none.
	Catalog *Catalog `json:"catalog,omitempty"`
	// Programs is what its PATH has; nil: it is still looking.
	Programs *Programs `json:"programs,omitempty"`
}

// RegisterReply tells a worker its session and the brain's intervals.
type RegisterReply struct {
	Session   int64    `json:"session"` // fences this worker's former processes
	Heartbeat Duration `json:"heartbeat"`
	Lost      Duration `json:"lost"`  // silence after which the worker counts as lost
	Lease     Duration `json:"lease"` // silence after which its tasks are taken back
	// Drop lists leases of Holds that are not this worker's any more: end them.
	Drop []int64 `json:"drop,omitempty"`
	// BatchRoot is where batches keep their outputs on the brain's host.
	BatchRoot string `json:"batch_root,omitempty"`
}

// ClaimRequest brings results and asks for work, both optional.
type ClaimRequest struct {
	Session int64    `json:"session"`
	Results []Result `json:"results,omitempty"`
	Max     int      `json:"max"`            // attempts it could start now; 0 = only results
	Wait    Duration `json:"wait,omitempty"` // how long to wait for work if there is none
	View    View     `json:"view,omitzero"`
}

// ClaimReply answers each result and hands out work.
type ClaimReply struct {
	// Results has one verdict for each result, in order; empty if all were taken.
	Results []ResultReply `json:"results,omitempty"`
	Tasks   []Assignment  `json:"tasks,omitempty"`
	// Steps holds what the tasks share, by batch and step: see Assignment.Spec.
	Steps []StepSpec `json:"steps,omitempty"`
	// Report says why there is less than was asked for; set if Tasks is empty.
	Report *Report `json:"report,omitempty"`
}

// StepSpec is a step as a worker needs it.
type StepSpec struct {
	Batch     BatchID `json:"batch_id"`
	BatchName string  `json:"batch,omitempty"`
	BatchDir  string  `json:"batch_dir,omitempty"`
	PlanDir   string  `json:"plan_dir,omitempty"`
	Step      Step    `json:"step"` // without its Each
	// Chunk: its items are lists of up to so many; 0: they are not.
	Chunk int `json:"chunk,omitempty"`
	// Manifests are those of its outputs from which other steps fan out.
	Manifests []Manifest `json:"manifests,omitempty"`
	// Needs tells, for each need, what its outputs are.
	Needs []NeedSpec `json:"needs,omitempty"`
}

// NeedSpec is a need as a worker needs it: NEEDS_<STEP>_<OUTPUT> and NEEDS_<STEP>_DIR.
type NeedSpec struct {
	Need
	FansOut bool              `json:"fans_out,omitempty"`
	Outputs map[string]string `json:"outputs,omitempty"`
}

// Assignment is one leased attempt.
type Assignment struct {
	Task    TaskID          `json:"task"`
	Spec    int             `json:"spec"`  // index into ClaimReply.Steps
	Index   int             `json:"index"` // -1: no fan-out
	Item    json.RawMessage `json:"item,omitempty"`
	Attempt int             `json:"attempt"`
	Lease   int64           `json:"lease"`
}

// Result is how one attempt ended, by its worker.
type Result struct {
	Task    TaskID         `json:"task"`
	Lease   int64          `json:"lease"`
	Outcome AttemptOutcome `json:"outcome"`
	Started time.Time      `json:"started,omitzero"` // worker's clock, for display
	Took    Duration       `json:"took,omitempty"`   // measured by the worker
	Exit    *Exit          `json:"exit,omitempty"`   // if a process ran
	Reason  *Reason        `json:"reason,omitempty"` // if not done
	Tail    string         `json:"tail,omitempty"`   // the end of its output, if not done
	Dir     string         `json:"dir,omitempty"`    // where its log is, on the worker's host
	// Manifests holds the items found in each manifest, by Manifest.Key.
	Manifests map[string][]json.RawMessage `json:"manifests,omitempty"`
	// Outputs tells what was put in place, by declared name.
	Outputs map[string]Output `json:"outputs,omitempty"`
	Order   *OrderResult      `json:"order,omitempty"` // of a resource task
	Rows    *RowTotals        `json:"rows,omitempty"`  // of an llm task without a command
}

// ResultVerdict says what became of a result.
type ResultVerdict string

// The verdicts on a result.
const (
	ResultTaken    ResultVerdict = "taken"    // recorded
	ResultRepeated ResultVerdict = "repeated" // had been recorded already: nothing lost
	ResultLate     ResultVerdict = "late"     // lease was over, nobody else had begun: recorded
	ResultFenced   ResultVerdict = "fenced"   // its lease is over, or another worker's: refused, and logged
	ResultUnknown  ResultVerdict = "unknown"  // no such task here
)

// ResultReply answers one result.
type ResultReply struct {
	Task    TaskID        `json:"task"`
	Lease   int64         `json:"lease"`
	Verdict ResultVerdict `json:"verdict"`
	Text    string        `json:"text,omitempty"`
}

// HeartbeatRequest is the reporter's word about the main loop.
type HeartbeatRequest struct {
	Session int64           `json:"session"`
	Doing   string          `json:"doing"`             // what the main loop does
	Since   Duration        `json:"since"`             // for how long
	Idle    Duration        `json:"idle,omitempty"`    // for how long nothing ran
	Running []LeaseProgress `json:"running,omitempty"` // all leases it holds
	View    View            `json:"view,omitzero"`
	Failing *Failing        `json:"failing,omitempty"` // what its calls for work meet; nil: they are answered
	Catalog *Catalog        `json:"catalog,omitempty"` // when it has changed
	// Programs is what its PATH has, when that has changed or the brain asks for it.
	Programs *Programs `json:"programs,omitempty"`
	Wait     Duration  `json:"wait,omitempty"` // how long the brain may hold the answer for orders to come
	// Void answers HeartbeatReply.Void: leases of it that the worker does not hold
	// and will never start, however late their claim's answer comes.
	Void []int64 `json:"void,omitempty"`
}

// Failing is what the calls of a worker's main loop meet, for work and with
// results, while none of them is answered. Its heartbeats may pass all the same.
type Failing struct {
	Calls map[string]int `json:"calls"` // how many failed since one was answered, by code
	For   Duration       `json:"for"`   // since the first of them
	Last  string         `json:"last,omitempty"`
}

// LeaseProgress is what a worker last saw of one attempt.
type LeaseProgress struct {
	Lease    int64    `json:"lease"`
	Progress Progress `json:"progress"`
}

// HeartbeatReply brings orders.
type HeartbeatReply struct {
	// Abort lists leases to end: cancelled, or not this worker's any more.
	Abort []AbortOrder `json:"abort,omitempty"`
	// Draining: take nothing new. Stop: also leave when nothing runs any more.
	Draining bool `json:"draining,omitempty"`
	Paused   bool `json:"paused,omitempty"`
	// Cool: the card is too hot; the sentence says how hot and until when. What
	// runs row by row waits before its next row.
	Cool string `json:"cool,omitempty"`
	// Tell: the brain has not heard, or no longer knows, which programs the worker
	// has; it may have forgotten what its model server could load, too. Say both
	// again: they are kept in memory only, and the brain may have started since.
	Tell bool `json:"tell,omitempty"`
	// Void lists leases that this worker was given and does not name: their
	// claim's answer is lost, or late. Those that it does not hold it must not
	// start any more, and say so (HeartbeatRequest.Void).
	Void []int64 `json:"void,omitempty"`
}

// AbortOrder tells a worker to end an attempt.
type AbortOrder struct {
	Lease  int64      `json:"lease"`
	Reason ReasonCode `json:"reason"`
	Text   string     `json:"text"`
}

// LeaveRequest is a worker's last word.
type LeaveRequest struct {
	Session   int64  `json:"session"`
	Why       string `json:"why"`
	Completed int    `json:"completed"`
	Failed    int    `json:"failed"`
	Crash     string `json:"crash,omitempty"` // the panic, if that is why
}

// HostReport is what a supervisor saw of its workers' processes.
type HostReport struct {
	Supervisor string        `json:"supervisor"`
	Workers    []HostWorker  `json:"workers"`
	Fenced     []FenceReport `json:"fenced,omitempty"`
	Wait       Duration      `json:"wait,omitempty"` // how long the brain may hold the answer for orders to come
}

// HostWorker is one supervised worker process. In a report a worker may stand
// several times: processes of it that have ended stand before the one that runs.
type HostWorker struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	State string `json:"state"` // running, stopped, exited
	// Exit: how it ended, in words (signal: KILL (9)), if it did.
	Exit string `json:"exit,omitempty"`
	// Clean: no process of its attempts is left alive. Set after exit.
	Clean bool `json:"clean,omitempty"`
	// Leftover names processes that could not be ended.
	Leftover []string `json:"leftover,omitempty"`
	Restarts int      `json:"restarts,omitempty"`
	// Again: in how long after its exit it is started again; 0: it is not.
	Again Duration `json:"again,omitempty"`
}

// FenceReport says what became of a fence order.
type FenceReport struct {
	Lease    int64    `json:"lease"`
	Worker   string   `json:"worker"`
	Dead     bool     `json:"dead"`
	Leftover []string `json:"leftover,omitempty"`
}

// HostReply brings a supervisor its orders: leases whose processes must end
// because their worker does not answer.
type HostReply struct {
	Fence []FenceOrder `json:"fence,omitempty"`
}

// FenceOrder asks a supervisor to end one attempt's processes.
type FenceOrder struct {
	Worker string `json:"worker"`
	Lease  int64  `json:"lease"`
	Task   TaskID `json:"task"`
}

// ChangeRequest asks for a change of tasks, batches, classes or workers.
type ChangeRequest struct {
	// Targets are ids or unique prefixes of batches and tasks, worker names
	// with "worker:" before them, "class:llm", or "all".
	Targets []string `json:"targets"`
	By      string   `json:"by,omitempty"`
	Why     string   `json:"why,omitempty"`
	// Failed and Class narrow a retry: only failed tasks, only this class.
	Failed bool  `json:"failed,omitempty"`
	Class  Class `json:"class,omitempty"`
	// Quarantine makes a pause of workers one for a fault, which Why names.
	Quarantine bool `json:"quarantine,omitempty"`
	DryRun     bool `json:"dry_run,omitempty"`
}

// ChangeReply says what was changed.
type ChangeReply struct {
	Changed []Changed `json:"changed"`
}

// Changed is one target and what became of it.
type Changed struct {
	Target string  `json:"target"`
	Batch  BatchID `json:"batch_id,omitzero"`
	Task   TaskID  `json:"task_id,omitzero"`
	Tasks  int     `json:"tasks"` // how many tasks it touched
	// Pending: attempts that still have to end (cancel), or run on (drain).
	Pending int    `json:"pending,omitempty"`
	Text    string `json:"text"`
}

// Status is the farm at a glance: what the MONITOR line says.
type Status struct {
	At         time.Time         `json:"at"`
	Version    string            `json:"version,omitempty"`
	PID        int               `json:"pid,omitempty"`
	Started    time.Time         `json:"started,omitzero"`
	Revision   int64             `json:"revision"`
	GPUs       int               `json:"gpus"`
	GPUsBusy   int               `json:"gpus_busy"`
	Workers    int               `json:"workers"`       // known, gone ones aside
	Alive      int               `json:"workers_alive"` // not lost
	Queue      map[Class]int     `json:"queue"`         // queued, by class
	Tasks      map[TaskState]int `json:"tasks"`         // of active batches
	Processing int               `json:"processing"`
	Stuck      int               `json:"stuck"`
	Recent     int               `json:"completed_last_5min"`
	Batches    int               `json:"batches"` // active
	Pauses     []Pause           `json:"pauses,omitempty"`
	Trouble    string            `json:"trouble,omitempty"` // why the brain cannot commit, if so
}

// TaskQuery selects tasks. Zero values select all.
type TaskQuery struct {
	Batch  BatchID
	Step   string
	State  TaskState
	Class  Class
	Worker string
	After  TaskID // page: ids greater than
	Limit  int    // 0 = 100
}

// BatchQuery selects batches, newest first.
type BatchQuery struct {
	Kind   string // BatchOrder: the orders about models; empty: what people submitted
	State  BatchState
	Before BatchID // page: ids smaller than; 0 = from the newest
	Limit  int     // 0 = 100
}

// EventQuery selects events, oldest first.
type EventQuery struct {
	After  int64 // Seq greater than
	Last   int   // the newest n of those that match; 0 = from After on
	Batch  BatchID
	Task   TaskID
	Worker string
	Level  Level // at least
	Limit  int   // 0 = 1000
}

// FromNow as EventQuery.After asks a follower for what comes, and nothing that was.
const FromNow int64 = -1

// LogQuery selects what to read of the log of a task's attempt.
type LogQuery struct {
	Attempt int   // 0 = the last
	Offset  int64 // first byte wanted; negative = that many before the end
	Follow  bool  // go on while the attempt runs
}

// Refs is what a prefix names. More than one entry in all is ambiguous.
type Refs struct {
	Batches []BatchID `json:"batches,omitempty"`
	Tasks   []TaskID  `json:"tasks,omitempty"`
	Workers []string  `json:"workers,omitempty"`
}
