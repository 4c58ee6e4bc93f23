package candor

import (
	"encoding/json"
	"strconv"
	"time"
)

// Task is a task as the API shows it.
type Task struct {
	ID       TaskID          `json:"id"`
	Batch    BatchID         `json:"batch_id"`
	Name     string          `json:"name"` // step, or step[index]
	Step     string          `json:"step"`
	Index    int             `json:"index"` // -1: its step does not fan out
	Item     json.RawMessage `json:"item,omitempty"`
	Class    Class           `json:"class"`
	State    TaskState       `json:"state"`
	Priority int             `json:"priority,omitempty"`
	Model    string          `json:"model,omitempty"`

	Attempt  int    `json:"attempt"`            // attempts begun, counted or not
	Counted  int    `json:"counted"`            // attempts that used up the retry budget
	Tries    int    `json:"tries"`              // the budget: 1 + retries
	Worker   string `json:"worker,omitempty"`   // of the current or last attempt
	Lease    int64  `json:"lease,omitempty"`    // of the current or last attempt
	Stuck    bool   `json:"stuck,omitempty"`    // no progress for longer than its class allows
	Aborting string `json:"aborting,omitempty"` // why its attempt is being ended

	CreatedAt  time.Time `json:"created_at"`
	QueuedAt   time.Time `json:"queued_at,omitzero"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	NotBefore  time.Time `json:"not_before,omitzero"` // the next try waits until then

	Reason   *Reason   `json:"reason,omitempty"`   // why it is where it is, if not complete
	Progress *Progress `json:"progress,omitempty"` // of the running attempt
	Last     *Attempt  `json:"last,omitempty"`     // how the last ended attempt ended
}

// TaskName is how a task is called: its step, with the index when it fans out.
func TaskName(step string, index int) string {
	if index < 0 {
		return step
	}
	return step + "[" + strconv.Itoa(index) + "]"
}

// AttemptOutcome is how an attempt ended, by its worker's account or the brain's.
type AttemptOutcome string

// The outcomes of an attempt. Counted ones use up the retry budget.
const (
	AttemptDone      AttemptOutcome = "done"       // exit 0 with all outputs
	AttemptFailed    AttemptOutcome = "failed"     // counted: the task's own fault
	AttemptTransient AttemptOutcome = "transient"  // not counted: exit 75, elsewhere
	AttemptPermanent AttemptOutcome = "permanent"  // exit 78, or refused for good: no further try
	AttemptTimeout   AttemptOutcome = "timeout"    // counted
	AttemptSilent    AttemptOutcome = "silent"     // counted: no progress
	AttemptAborted   AttemptOutcome = "aborted"    // not counted: ended on the brain's order
	AttemptLost      AttemptOutcome = "lost"       // not counted: the worker died or was cut off
	AttemptBadWorker AttemptOutcome = "bad_worker" // not counted: the host's fault by the task's own word
)

// Attempt is one try of a task.
type Attempt struct {
	Number     int               `json:"attempt"`
	Worker     string            `json:"worker"`
	Lease      int64             `json:"lease"`
	StartedAt  time.Time         `json:"started_at"`
	FinishedAt time.Time         `json:"finished_at,omitzero"`
	Outcome    AttemptOutcome    `json:"outcome"`
	Counted    bool              `json:"counted"`
	Exit       *Exit             `json:"exit,omitempty"`
	Reason     *Reason           `json:"reason,omitempty"`
	Tail       string            `json:"tail,omitempty"`    // the end of what it printed
	Dir        string            `json:"dir,omitempty"`     // its directory on the worker's host
	Outputs    map[string]Output `json:"outputs,omitempty"` // by declared name, if it is done
	Order      *OrderResult      `json:"order,omitempty"`   // of a resource task
	Rows       *RowTotals        `json:"rows,omitempty"`    // of an llm task without a command
}

// Output is what an attempt put in place under one declared name.
type Output struct {
	SHA256 string `json:"sha256,omitempty"` // of a file's content; empty for a folder or a very large file
	Size   Bytes  `json:"size"`             // of a file
}

// Exit is how a process ended.
type Exit struct {
	Code     int      `json:"code"`             // -1 when ended by a signal
	Signal   string   `json:"signal,omitempty"` // KILL (9)
	OOM      string   `json:"oom,omitempty"`    // evidence that the kernel ran out of memory
	CPU      Duration `json:"cpu,omitempty"`
	MaxRSS   Bytes    `json:"max_rss,omitempty"`
	Written  int64    `json:"written,omitempty"` // bytes printed, kept or not
	Cut      bool     `json:"cut,omitempty"`     // its log was bounded
	Survived []string `json:"survived,omitempty"`
}

// Progress is what a worker last saw of a running attempt.
type Progress struct {
	Done  int64  `json:"done,omitempty"` // by the job's own word: candor progress 40/125
	Total int64  `json:"total,omitempty"`
	Note  string `json:"note,omitempty"`
	// At is the last moment anything moved: output, CPU, files, its own word.
	At time.Time `json:"at,omitzero"`
	// Kind names what moved then: output, cpu, files, report, start; or what it
	// waits for: slot, heat, load, unload, or that the brain takes its result.
	Kind string `json:"kind,omitempty"`
	// State is sleeping, running or stopped, of the process group.
	State string   `json:"state,omitempty"`
	PID   int      `json:"pid,omitempty"`
	CPU   Duration `json:"cpu,omitempty"`
	Bytes int64    `json:"bytes,omitempty"` // printed so far
}

// BatchOrder is the kind of a batch of one resource task: an order about a model.
const BatchOrder = "order"

// Batch is a batch as the API shows it.
type Batch struct {
	ID         BatchID           `json:"id"`
	Kind       string            `json:"kind,omitempty"` // BatchOrder, or empty: what people submit
	Name       string            `json:"name"`
	Key        string            `json:"key,omitempty"`
	State      BatchState        `json:"state"`
	Outcome    Outcome           `json:"outcome,omitempty"`
	Paused     *Pause            `json:"paused,omitempty"`
	CreatedAt  time.Time         `json:"created_at"`
	FinishedAt time.Time         `json:"finished_at,omitzero"`
	ExpiresAt  time.Time         `json:"expires_at,omitzero"`
	Total      int               `json:"total"`
	Counts     map[TaskState]int `json:"counts"`
	Steps      []StepView        `json:"steps,omitempty"`
	Dir        string            `json:"dir,omitempty"` // $BATCH_DIR: where its outputs are
	PlanFile   string            `json:"plan_file,omitempty"`
	Inputs     json.RawMessage   `json:"inputs,omitempty"`
}

// StepView is a step of a batch as the API shows it.
type StepView struct {
	Name     string            `json:"name"`
	Class    Class             `json:"class"`
	Needs    []Need            `json:"needs,omitempty"`
	Expanded bool              `json:"expanded"` // its items are known
	FansOut  bool              `json:"fans_out"`
	Total    int               `json:"total"`
	Counts   map[TaskState]int `json:"counts"`
	Outputs  map[string]string `json:"outputs,omitempty"`
	Asks     bool              `json:"asks,omitempty"` // it has prompts and no command, so its attempts have no log
	Flag     *Reason           `json:"flag,omitempty"` // something about it that a person should look at
}

// ScopeQuarantine is the scope of a pause by which candor, or a person, shuts a worker out for a fault.
const ScopeQuarantine = "quarantine"

// ScopeDrain is the scope by which a worker's drain is shown: who drains it, since when, and why.
const ScopeDrain = "drain"

// Pause is who stopped what, when and why.
type Pause struct {
	Scope  string    `json:"scope"`            // all, class, batch, worker, quarantine, drain
	Target string    `json:"target,omitempty"` // the class, batch or worker
	By     string    `json:"by,omitempty"`
	Why    string    `json:"why,omitempty"`
	At     time.Time `json:"at"`
}
