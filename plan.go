package candor

import "encoding/json"

// Submission is a checked plan with its inputs filled in: what a client sends.
// Paths in it are absolute on the machine that submitted it; globs and lists
// are already items. The brain checks it again.
type Submission struct {
	Name     string          `json:"name"`
	Key      string          `json:"key,omitempty"`       // refuses a second batch with the same key
	PlanFile string          `json:"plan_file,omitempty"` // for display
	PlanDir  string          `json:"plan_dir,omitempty"`  // $PLAN_DIR of its commands
	Inputs   json.RawMessage `json:"inputs,omitempty"`    // object: the inputs as resolved, for display
	Expires  Duration        `json:"expires,omitempty"`   // what has not ended by then is cancelled
	Steps    []Step          `json:"steps"`
}

// Step is one task of a plan as written; it becomes one task, or one for each
// item it fans out over. Tasks share their step: it is sent and stored once.
type Step struct {
	Name  string `json:"name"`
	Class Class  `json:"class"`

	// What to do: Run is given to the shell (sh -c), Argv is not; one of them,
	// or neither for a task that does nothing (tests, benchmarks, gates).
	Run  string            `json:"run,omitempty"`
	Argv []string          `json:"argv,omitempty"`
	Env  map[string]string `json:"env,omitempty"`

	Needs   []Need            `json:"needs,omitempty"`
	Each    *Each             `json:"each,omitempty"`
	Outputs map[string]string `json:"outputs,omitempty"` // name → path inside the attempt's directory

	Timeout    Duration `json:"timeout,omitempty"`     // of one attempt; 0 = none
	NoProgress Duration `json:"no_progress,omitempty"` // silence after which an attempt is ended; 0 = never
	Retries    int      `json:"retries,omitempty"`     // further counted attempts after the first
	Backoff    Duration `json:"backoff,omitempty"`     // before the second attempt, doubling; 0 = the brain's default
	Priority   int      `json:"priority,omitempty"`    // larger goes first; ageing lets the smaller one through in time

	Requires Requires `json:"requires,omitzero"`
	VRAM     Bytes    `json:"vram,omitempty"`
	Model    string   `json:"model,omitempty"`   // class llm: the model that must be loaded
	Accept   []string `json:"accept,omitempty"`  // class llm: other models that may serve where they are loaded
	Context  int      `json:"num_ctx,omitempty"` // class llm: tokens that the model must be loaded with; 0 = any
	LLM      *LLM     `json:"llm,omitempty"`     // class llm, instead of a command
	Order    *Order   `json:"order,omitempty"`   // class resource, instead of a command: only the brain makes these
}

// Requires names what a worker must have.
type Requires struct {
	Labels []string `json:"labels,omitempty"` // given to workers by their owner
	Tools  []string `json:"tools,omitempty"`  // programs found on the worker's PATH
	Worker string   `json:"worker,omitempty"` // this worker only
}

// Need is an edge of the plan.
type Need struct {
	Step string `json:"step"`
	// Each: item i waits for item i of Step; both fan out over the same items.
	// Otherwise every item waits for all of Step.
	Each bool `json:"each,omitempty"`
	// AllowFailed: a final state is enough, success is not required.
	AllowFailed bool `json:"allow_failed,omitempty"`
}

// Each says what a step fans out over: items known at submission, the items of
// another step, or a list that an earlier task writes.
type Each struct {
	Items []json.RawMessage `json:"items,omitempty"`
	Glob  string            `json:"glob,omitempty"` // where Items came from, a pattern or a file of rows; for display
	Same  string            `json:"same,omitempty"` // the step whose items are shared
	From  *Manifest         `json:"from,omitempty"`
	// Chunk gathers so many items into one task, whose item is their list; 0: one
	// each. A submission carries them ungathered. With Same it is that step's own.
	Chunk int `json:"chunk,omitempty"`
}

// Tasks is how many tasks the known items make.
func (e *Each) Tasks() int { return e.TasksOf(len(e.Items)) }

// TasksOf is how many tasks so many items make.
func (e *Each) TasksOf(items int) int {
	if e.Chunk <= 0 {
		return items
	}
	return (items + e.Chunk - 1) / e.Chunk
}

// Manifest points into a JSON file that an earlier task writes.
type Manifest struct {
	Step   string `json:"step"`
	Output string `json:"output"`
	Path   string `json:"path,omitempty"` // dotted path to the list; empty = the document itself
}

// Key names a manifest within its batch: step.output:path.
func (m Manifest) Key() string { return m.Step + "." + m.Output + ":" + m.Path }

// MaxItems is how many items one step may fan out over. It keeps a plan that
// went wrong from burying the queue; larger work is several batches, or rows.
// Submissions from the API with known items may be larger, up to MaxTasks.
const MaxItems = 100_000

// MaxTasks is how many tasks one batch may hold.
const MaxTasks = 2_000_000

// Limits of chunks. Rows in chunks are no tasks, so MaxItems does not bound them.
const (
	MaxRows  = 2_000_000 // of one step, in chunks
	MaxChunk = 10_000    // rows of one task
	// MaxChunkSize is how many bytes of JSON the rows of one task may be. A command
	// gets its item as a variable, and so has no more than MaxItemSize for all of them.
	MaxChunkSize = 1 << 20
	// MaxRowSize is how many bytes of JSON one row of a prompt may be: a chunk of it alone.
	MaxRowSize = MaxChunkSize - len("[]")
)
