package sched

import (
	"encoding/json"
	"time"

	"candor"
)

// Command is something that happened or was asked for. Each type names its reply.
type Command interface{ command() }

type (
	// Submit makes a batch of a plan. Reply: candor.SubmitReply.
	Submit struct {
		Sub candor.Submission
		By  string
	}
	// PreviewPlan says who could take what. Changes nothing. Reply: candor.Preview.
	PreviewPlan struct{ Sub candor.Submission }

	// Register lets a worker in, or in again. Reply: candor.RegisterReply.
	Register struct{ Req candor.RegisterRequest }
	// Claim takes results and hands out work. Reply: candor.ClaimReply, with a
	// report when it hands out nothing; waiting for work is the loop's business.
	Claim struct {
		Worker string
		Req    candor.ClaimRequest
		// Again: the loop tries a held claim once more. It is no new sign of life
		// of the worker, which may be dead by now.
		Again bool
		// Looked: Stored is what the store has of the tasks of Req.Results. Without
		// it a result of a task that is not in memory refuses the whole claim with
		// CodeNotFound, so that somebody looks.
		Looked bool
		Stored []candor.Task
		// Last: and then answers it, whatever it finds: with a report of the queue as
		// it is by now.
		Last bool
	}
	// Heartbeat is a sign of life of a worker's reporter. Reply: candor.HeartbeatReply.
	Heartbeat struct {
		Worker string
		Req    candor.HeartbeatRequest
	}
	// Leave is a worker's last word. Reply: nil.
	Leave struct {
		Worker string
		Req    candor.LeaveRequest
	}
	// HostSeen is a supervisor's account of its workers' processes. Reply: candor.HostReply.
	HostSeen struct{ Report candor.HostReport }

	// Cancel ends tasks and batches. Processing ones are aborted and become
	// cancelled when their worker confirms. Reply: candor.ChangeReply.
	Cancel struct{ Req candor.ChangeRequest }
	// Retry queues failed and cancelled tasks again, and revives what waits for
	// them. Reply: candor.ChangeReply.
	Retry struct{ Req candor.ChangeRequest }
	// Pause stops handing out: everything, a class, a batch, a worker. Reply: candor.ChangeReply.
	Pause struct{ Req candor.ChangeRequest }
	// Resume undoes Pause. Reply: candor.ChangeReply.
	Resume struct{ Req candor.ChangeRequest }
	// Drain lets workers finish and take nothing new. Reply: candor.ChangeReply.
	Drain struct{ Req candor.ChangeRequest }
	// Undrain undoes Drain. Reply: candor.ChangeReply.
	Undrain struct{ Req candor.ChangeRequest }

	// Admit brings an ended batch back from the store, so that it can be retried.
	// Reply: nil.
	Admit struct{ Batch LoadedBatch }
	// Configure changes the rules. A changed Aging orders what is queued from now
	// on; what waits keeps its place. Reply: nil.
	Configure struct{ Config Config }
	// Tick lets time pass: back-offs, lost workers, leases, stuck tasks,
	// expiries, the monitor line. Reply: nil.
	Tick struct{}

	// Away says that the brain itself did not run for so long, up to now: silence
	// in that time is nobody's fault. Reply: nil.
	Away struct{ For time.Duration }

	// OrderModel makes orders about models in a person's name: load, unload, pull.
	// Reply: candor.OrderReply.
	OrderModel struct{ Req candor.OrderRequest }
	// Models lists the models that tasks want, workers have or could load, with
	// the rules of placement that were asked. Changes nothing. Reply: []candor.ModelView.
	Models struct{}

	// Why explains a task or a worker, by id, prefix or name. Changes nothing.
	// Reply: candor.Explanation.
	Why struct{ Target string }
	// Workers lists the workers. Changes nothing. Reply: []candor.Worker.
	Workers struct{}
	// Status is the farm at a glance. Changes nothing. Reply: candor.Status.
	Status struct{}
	// Decorate fills in what only the living know: progress, stuck, aborting.
	// Changes nothing. Reply: []candor.Task.
	Decorate struct{ Tasks []candor.Task }
	// Resolve finds live batches and tasks by id prefix, and workers by name.
	// Changes nothing. Reply: Refs.
	Resolve struct{ Prefix string }
)

func (Submit) command()      {}
func (PreviewPlan) command() {}
func (Register) command()    {}
func (Claim) command()       {}
func (Heartbeat) command()   {}
func (Leave) command()       {}
func (HostSeen) command()    {}
func (Cancel) command()      {}
func (Retry) command()       {}
func (Pause) command()       {}
func (Resume) command()      {}
func (Drain) command()       {}
func (Undrain) command()     {}
func (Admit) command()       {}
func (Configure) command()   {}
func (Tick) command()        {}
func (Away) command()        {}
func (OrderModel) command()  {}
func (Models) command()      {}
func (Why) command()         {}
func (Workers) command()     {}
func (Status) command()      {}
func (Decorate) command()    {}
func (Resolve) command()     {}

// Refs is what a prefix names. More than one entry in all is ambiguous.
type Refs struct {
	Batches []candor.BatchID
	Tasks   []candor.TaskID
	Workers []string
}

// Changes is what a run of commands has to make durable, in one transaction.
// Each record is the whole new value; Was names what the store must find, and a
// commit that finds something else must fail as a whole with CodeConflict.
type Changes struct {
	Revision int64 // grows by one with each commit that has changes; the store keeps it
	Meta     Meta

	NewBatches []BatchRecord
	Batches    []BatchRecord // mutable fields changed
	NewSteps   []StepRecord
	Steps      []StepRecord // Expanded changed
	NewTasks   []TaskRecord
	Tasks      []TaskRecord // mutable fields changed
	Attempts   []AttemptRecord
	Forgotten  []string       // workers to remove by name, before Workers are written
	Workers    []WorkerRecord // insert or replace by name
	Models     []ModelRecord  // insert or replace by name
	Pauses     []candor.Pause // all of them, if PausesSet
	PausesSet  bool
	Events     []candor.Event // INFO and above; DEBUG is not kept in the store
}

// Empty tells whether there is nothing to make durable.
func (c *Changes) Empty() bool {
	return len(c.NewBatches)+len(c.Batches)+len(c.NewSteps)+len(c.Steps)+len(c.NewTasks)+len(c.Tasks)+
		len(c.Attempts)+len(c.Forgotten)+len(c.Workers)+len(c.Models)+len(c.Events) == 0 && !c.PausesSet
}

// Meta holds the counters that must survive. Next numbers are the next to be given.
type Meta struct {
	NextTask    candor.TaskID
	NextBatch   candor.BatchID
	NextLease   int64
	FirstLease  int64 // that this store has given; 0: of a store that began with 1
	NextSession int64
	NextEvent   int64
}

// BatchRecord is a batch as stored.
type BatchRecord struct {
	ID         candor.BatchID
	Was        candor.BatchState // state the store must find; "" for a new one
	Kind       string            // candor.BatchOrder, or "" for what people submit
	Name       string
	Key        string
	State      candor.BatchState
	Outcome    candor.Outcome
	Cancelled  bool // a person cancelled it, or it expired: nothing new starts
	CreatedAt  time.Time
	FinishedAt time.Time
	ExpiresAt  time.Time
	PlanFile   string
	PlanDir    string
	Inputs     json.RawMessage
	Total      int
	Counts     map[candor.TaskState]int // kept with the row once it is complete
}

// ModelRecord is what was measured of a model, over all workers, as stored.
// Durations are nanoseconds there.
type ModelRecord struct {
	Name  string        `json:"-"`     // as candor.ModelName spells it
	VRAM  candor.Bytes  `json:"vram"`  // what it took on a card when it was last loaded whole; 0: not known
	Load  time.Duration `json:"load"`  // moving average of loads
	Run   time.Duration `json:"run"`   // moving average of what one task of it takes one worker
	Loads int           `json:"loads"` // how many of each were measured
	Runs  int           `json:"runs"`
}

// StepRecord is a step of a batch as stored: immutable but for Expanded and Total.
type StepRecord struct {
	Batch    candor.BatchID
	Number   int // position in the plan, from 0
	Step     candor.Step
	Expanded bool           // its tasks exist
	Flag     *candor.Reason // something about it that a person should look at
	Total    int            // how many, once expanded
}

// TaskRecord is a task as stored. Of a new one all fields are stored; of a
// changed one ID, Batch, Step, Index and Item are as they were.
type TaskRecord struct {
	ID    candor.TaskID
	Batch candor.BatchID
	Step  int // StepRecord.Number
	Index int // -1: no fan-out
	Item  json.RawMessage

	Was      candor.TaskState // state the store must find
	WasLease int64            // lease the store must find

	State      candor.TaskState
	Attempt    int
	Counted    int
	Tries      int // the budget from here: 1 + retries, more after a retry that was asked for
	Worker     string
	Lease      int64
	QueuedAt   time.Time
	StartedAt  time.Time
	FinishedAt time.Time
	NotBefore  time.Time
	Reason     *candor.Reason
	Last       *candor.Attempt   // how the last ended attempt ended; nil for one that ended well and said nothing
	Avoid      []string          // workers it is not to go to again
	Downed     []string          // workers that died while they ran it
	Aborting   candor.ReasonCode // its attempt was ordered to end, for this
	AbortText  string            // who ordered that, when, and why
	AbortAt    time.Time
}

// AttemptRecord is an ended attempt that did not complete its task.
type AttemptRecord struct {
	Task    candor.TaskID
	Batch   candor.BatchID
	Attempt candor.Attempt
}

// WorkerRecord is a worker as stored.
type WorkerRecord struct {
	Info      candor.WorkerInfo
	Session   int64
	State     candor.WorkerState
	Draining  bool
	Drain     *candor.Pause // who drains it; nil: nobody, or an earlier version did not say
	JoinedAt  time.Time
	SeenAt    time.Time
	Completed int
	Failed    int
	Account   *candor.Account // where its time went; nil: not kept
}

// LoadedBatch is a batch with all it has, as loaded.
type LoadedBatch struct {
	Batch BatchRecord
	Steps []StepRecord // by Number
	Tasks []TaskRecord // by ID; Was and WasLease as stored
}

// Snapshot is the live state as loaded: active batches with all their tasks,
// workers, pauses, counters.
type Snapshot struct {
	Revision int64
	Meta     Meta
	Batches  []LoadedBatch // by ID
	Workers  []WorkerRecord
	Models   []ModelRecord // by Name
	Pauses   []candor.Pause
}
