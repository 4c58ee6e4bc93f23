package candor

import (
	"slices"
	"time"
)

// ReasonCode is a stable dotted name of why something is as it is. The list is
// closed: ReasonCodes has them all, and Unexplained is an alarm about candor
// itself.
type ReasonCode string

// Why a task does not run, or why this worker does not take it.
const (
	ReasonNeedWaiting   ReasonCode = "need.waiting"        // blocked: a need is not final
	ReasonNeedManifest  ReasonCode = "need.manifest"       // blocked: its items are not known yet
	ReasonNeedFailed    ReasonCode = "need.failed"         // cancelled: a need failed
	ReasonAllPaused     ReasonCode = "paused.all"          // a person stopped everything
	ReasonClassPaused   ReasonCode = "paused.class"        // a person stopped this class
	ReasonBatchPaused   ReasonCode = "paused.batch"        // a person stopped this batch
	ReasonWorkerPaused  ReasonCode = "paused.worker"       // a person stopped this worker
	ReasonBackoff       ReasonCode = "retry.backoff"       // the next try waits its time
	ReasonElsewhere     ReasonCode = "retry.avoid"         // failed on this worker before: another one's turn
	ReasonWrongWorker   ReasonCode = "worker.name"         // asks for another worker by name
	ReasonWrongClass    ReasonCode = "worker.class"        // this worker does not take the class
	ReasonLabel         ReasonCode = "worker.label"        // a label is missing
	ReasonTool          ReasonCode = "worker.tool"         // a program is missing
	ReasonToolUnknown   ReasonCode = "worker.tool_unknown" // its worker has not said yet which programs it has
	ReasonVRAMTotal     ReasonCode = "vram.total"          // larger than the card
	ReasonVRAMHeld      ReasonCode = "vram.held"           // fits the card, but somebody holds it
	ReasonVRAMKept      ReasonCode = "vram.kept"           // room on the card is kept for who goes first there
	ReasonModelCold     ReasonCode = "model.cold"          // the model is not loaded here
	ReasonModelLoading  ReasonCode = "model.loading"       // the model is being loaded here
	ReasonWorkerLost    ReasonCode = "worker.lost"         // silent for longer than the threshold
	ReasonWorkerGone    ReasonCode = "worker.gone"         // left or dead
	ReasonDraining      ReasonCode = "worker.drain"        // takes nothing new
	ReasonThermal       ReasonCode = "worker.thermal"      // too hot
	ReasonBusy          ReasonCode = "worker.busy"         // all slots taken
	ReasonShared        ReasonCode = "queue.shared"        // left to other workers, which could begin it sooner
	ReasonNotAsking     ReasonCode = "worker.silent"       // alive, but its claim loop does not ask
	ReasonCallsFail     ReasonCode = "worker.calls_fail"   // alive, but none of its calls for work and with results is answered
	ReasonFrozen        ReasonCode = "worker.frozen"       // its process is stopped, not dead
	ReasonNoWorkers     ReasonCode = "worker.none"         // no worker is there
	ReasonUnplaceable   ReasonCode = "never.fits"          // no known worker could, even idle
	ReasonQueueBehind   ReasonCode = "queue.behind"        // could run; others go first
	ReasonQueueNext     ReasonCode = "queue.next"          // could run, and is offered at the next claim
	ReasonRunning       ReasonCode = "running"             // it runs
	ReasonStuck         ReasonCode = "running.stuck"       // it runs, but nothing moves
	ReasonAborting      ReasonCode = "running.abort"       // its attempt is being ended
	ReasonSuspect       ReasonCode = "task.suspect"        // a worker died under it: held back for a while
	ReasonQuarantined   ReasonCode = "worker.quarantined"  // tasks fail on it that succeed elsewhere
	ReasonIdentical     ReasonCode = "output.identical"    // many outputs of a step are the same
	ReasonFencing       ReasonCode = "lease.fencing"       // waits until its former process is known dead
	ReasonOffline       ReasonCode = "worker.offline"      // held by a silent worker until its lease ends
	ReasonStoreTrouble  ReasonCode = "store.trouble"       // the brain cannot commit
	ReasonUnexplained   ReasonCode = "unexplained"         // an alarm about candor
	ReasonIdleNoWork    ReasonCode = "idle.no_work"        // nothing is queued
	ReasonIdleHands     ReasonCode = "idle.in_hands"       // what is left waits in other workers' hands
	ReasonIdleClaiming  ReasonCode = "idle.claiming"       // has just finished, or asks right now
	ReasonDone          ReasonCode = "done"                // complete
	ReasonFailedSummary ReasonCode = "failed"              // failed; the last attempt says how
)

// How an attempt or a task ended, when not well.
const (
	ReasonExitCode      ReasonCode = "exit.code"         // the command failed
	ReasonExitSignal    ReasonCode = "exit.signal"       // a signal ended it, not ours
	ReasonExitOOM       ReasonCode = "exit.oom"          // the kernel ran out of memory
	ReasonExitTransient ReasonCode = "exit.transient"    // exit 75
	ReasonExitPermanent ReasonCode = "exit.permanent"    // exit 78
	ReasonExitBadWorker ReasonCode = "exit.bad_worker"   // the task's word for a bad host
	ReasonHostFault     ReasonCode = "host.fault"        // its worker's host failed (disk, memory, open files), not the task
	ReasonTimeout       ReasonCode = "exit.timeout"      // ran longer than its timeout
	ReasonNoProgress    ReasonCode = "exit.no_progress"  // silent for longer than allowed
	ReasonStart         ReasonCode = "exit.start"        // could not be started
	ReasonOutputMissing ReasonCode = "output.missing"    // exit 0 without a declared output
	ReasonManifestBad   ReasonCode = "manifest.bad"      // not the list it was said to be
	ReasonManifestLarge ReasonCode = "manifest.too_many" // over MaxItems
	ReasonCancelled     ReasonCode = "cancelled.person"  // a person cancelled it
	ReasonExpired       ReasonCode = "cancelled.expired" // its batch expired
	ReasonWorkerDied    ReasonCode = "worker.died"       // the worker's process ended
	ReasonLeaseExpired  ReasonCode = "lease.expired"     // the worker was silent too long
	ReasonPoison        ReasonCode = "task.poison"       // took down several workers
	ReasonShutdown      ReasonCode = "worker.shutdown"   // its worker was told to stop
	ReasonFenced        ReasonCode = "lease.fenced"      // a result of a former lease
)

// What a model server or its answers did wrong; the same codes as package
// internal/runtime has for them.
const (
	ReasonModelMissing     ReasonCode = "model.missing"     // no such model on the worker's server
	ReasonModelTooLarge    ReasonCode = "model.too_large"   // it does not fit into memory
	ReasonModelWrong       ReasonCode = "model.wrong"       // the name stands for another content
	ReasonModelBroken      ReasonCode = "model.broken"      // cannot be loaded, whatever the room
	ReasonModelContext     ReasonCode = "model.context"     // loaded with a shorter context than asked for
	ReasonModelOnCPU       ReasonCode = "model.on_cpu"      // loaded, but not on the card
	ReasonModelHeld        ReasonCode = "model.held"        // asked to leave, still there
	ReasonRunnerGone       ReasonCode = "runner.gone"       // the model's process died
	ReasonServerGone       ReasonCode = "server.gone"       // nobody answers
	ReasonServerHung       ReasonCode = "server.hung"       // connected, but produces nothing
	ReasonServerBusy       ReasonCode = "server.busy"       // takes no more requests now
	ReasonServerWrong      ReasonCode = "server.wrong"      // another program answers
	ReasonServerFault      ReasonCode = "server.fault"      // an error of its own that says nothing more
	ReasonServerGarbled    ReasonCode = "server.garbled"    // answers not what its protocol allows
	ReasonServerOut        ReasonCode = "server.out"        // fell too often: out of service
	ReasonServerStarting   ReasonCode = "server.starting"   // is being started
	ReasonAnswerTruncated  ReasonCode = "answer.truncated"  // the prompt did not fit the context
	ReasonAnswerRunaway    ReasonCode = "answer.runaway"    // generates without end
	ReasonAnswerIncomplete ReasonCode = "answer.incomplete" // ended before its end
	ReasonAnswerSchema     ReasonCode = "answer.schema"     // not the JSON that was asked for
	ReasonRequestRefused   ReasonCode = "request.refused"   // asked for what the server cannot do
	ReasonRowsFailed       ReasonCode = "rows.failed"       // some rows of a task have errors of their own
)

// Orders and placement: why a load is ordered or not, rule by rule, and what
// became of an order.
const (
	ReasonOrderPointless ReasonCode = "order.pointless"    // the worker is already as ordered: not its to take
	ReasonOrderUnchanged ReasonCode = "order.unchanged"    // carried out, and nothing had changed: no success
	ReasonOrderExpired   ReasonCode = "order.expired"      // nobody took it in time
	ReasonOrderOverdue   ReasonCode = "order.overdue"      // its expectation is missed
	ReasonPlaceOff       ReasonCode = "place.off"          // loads are ordered by people only
	ReasonPlaceOrdered   ReasonCode = "place.ordered"      // a load is ordered already
	ReasonPlaceEnough    ReasonCode = "place.enough"       // those that have it do the work sooner than another load would help
	ReasonPlaceMaxHot    ReasonCode = "place.max_hot"      // the cap on workers with one model is reached
	ReasonPlaceHold      ReasonCode = "place.hold"         // the model it holds was loaded a moment ago
	ReasonPlaceNeeded    ReasonCode = "place.needed"       // the model it holds is needed there more
	ReasonPlaceHostBusy  ReasonCode = "place.host_loading" // another load on this host comes first
	ReasonPlaceBackoff   ReasonCode = "place.backoff"      // loads of it failed here: the next try waits
	ReasonPlaceBusy      ReasonCode = "place.busy"         // what runs there would have to end first
	ReasonThrash         ReasonCode = "place.thrash"       // models push each other out again and again
	ReasonStarving       ReasonCode = "queue.overtaken"    // others of higher priority went first, again and again
	ReasonSlot           ReasonCode = "model.slot"         // holds a task, waits for a slot of the model server
)

// Accounts: what a worker's time went to, beside the reasons for being idle.
const (
	ReasonBusyTime    ReasonCode = "busy"       // it worked
	ReasonLoadingTime ReasonCode = "loading"    // or unloading
	ReasonBrainAway   ReasonCode = "brain.away" // the brain did not run, or had not stored the account when it ended
)

// movers says of each code whose move it is, where the case itself does not say otherwise.
var movers = map[ReasonCode]Mover{
	ReasonNeedWaiting: MoverWait, ReasonNeedManifest: MoverWait, ReasonNeedFailed: MoverYou,
	ReasonAllPaused: MoverOperator, ReasonClassPaused: MoverOperator, ReasonBatchPaused: MoverOperator, ReasonWorkerPaused: MoverOperator,
	ReasonBackoff: MoverSystem, ReasonElsewhere: MoverWait,
	ReasonWrongWorker: MoverYou, ReasonWrongClass: MoverYou, ReasonLabel: MoverYou, ReasonTool: MoverYou, ReasonToolUnknown: MoverSystem, ReasonVRAMTotal: MoverYou,
	ReasonVRAMHeld: MoverWait, ReasonVRAMKept: MoverWait, ReasonModelCold: MoverSystem, ReasonModelLoading: MoverSystem,
	ReasonWorkerLost: MoverOperator, ReasonWorkerGone: MoverOperator, ReasonDraining: MoverOperator, ReasonThermal: MoverSystem,
	ReasonBusy: MoverWait, ReasonShared: MoverWait, ReasonNotAsking: MoverOperator, ReasonCallsFail: MoverOperator, ReasonFrozen: MoverOperator, ReasonNoWorkers: MoverOperator, ReasonUnplaceable: MoverYou,
	ReasonQueueBehind: MoverWait, ReasonQueueNext: MoverSystem, ReasonRunning: MoverWait, ReasonStuck: MoverOperator,
	ReasonAborting: MoverSystem, ReasonFencing: MoverSystem, ReasonSuspect: MoverSystem, ReasonQuarantined: MoverSystem, ReasonIdentical: MoverYou,
	ReasonOffline: MoverSystem, ReasonStoreTrouble: MoverOperator,
	ReasonUnexplained: MoverOperator, ReasonIdleNoWork: MoverWait, ReasonIdleHands: MoverWait, ReasonIdleClaiming: MoverSystem,
	ReasonDone: MoverWait, ReasonFailedSummary: MoverYou,
	ReasonExitCode: MoverYou, ReasonExitSignal: MoverYou, ReasonExitOOM: MoverYou, ReasonExitTransient: MoverSystem,
	ReasonExitPermanent: MoverYou, ReasonExitBadWorker: MoverOperator, ReasonHostFault: MoverOperator, ReasonTimeout: MoverYou, ReasonNoProgress: MoverYou,
	ReasonStart: MoverYou, ReasonOutputMissing: MoverYou, ReasonManifestBad: MoverYou, ReasonManifestLarge: MoverYou,
	ReasonCancelled: MoverYou, ReasonExpired: MoverYou, ReasonWorkerDied: MoverSystem, ReasonLeaseExpired: MoverSystem,
	ReasonPoison: MoverYou, ReasonShutdown: MoverSystem, ReasonFenced: MoverSystem,
	ReasonModelMissing: MoverYou, ReasonModelTooLarge: MoverYou, ReasonModelWrong: MoverOperator, ReasonModelBroken: MoverOperator,
	ReasonModelContext: MoverSystem, ReasonModelOnCPU: MoverOperator, ReasonModelHeld: MoverWait,
	ReasonRunnerGone: MoverSystem, ReasonServerGone: MoverSystem, ReasonServerHung: MoverSystem, ReasonServerBusy: MoverWait,
	ReasonServerWrong: MoverOperator, ReasonServerFault: MoverOperator, ReasonServerGarbled: MoverOperator, ReasonServerOut: MoverOperator,
	ReasonServerStarting:  MoverSystem,
	ReasonAnswerTruncated: MoverYou, ReasonAnswerRunaway: MoverYou, ReasonAnswerIncomplete: MoverYou, ReasonAnswerSchema: MoverYou,
	ReasonRequestRefused: MoverYou, ReasonRowsFailed: MoverYou,
	ReasonOrderPointless: MoverWait, ReasonOrderUnchanged: MoverOperator, ReasonOrderExpired: MoverOperator, ReasonOrderOverdue: MoverOperator,
	ReasonPlaceOff: MoverYou, ReasonPlaceOrdered: MoverSystem, ReasonPlaceEnough: MoverWait, ReasonPlaceMaxHot: MoverYou, ReasonPlaceHold: MoverSystem,
	ReasonPlaceNeeded: MoverWait, ReasonPlaceHostBusy: MoverSystem, ReasonPlaceBackoff: MoverSystem, ReasonPlaceBusy: MoverWait,
	ReasonThrash: MoverYou, ReasonStarving: MoverWait, ReasonSlot: MoverWait,
	ReasonBusyTime: MoverWait, ReasonLoadingTime: MoverSystem, ReasonBrainAway: MoverOperator,
}

// ReasonCodes is the closed list, sorted.
func ReasonCodes() []ReasonCode {
	codes := make([]ReasonCode, 0, len(movers))
	for c := range movers {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	return codes
}

// Mover says whose move it is, and MoverOperator for a code outside the list,
// which a person should look at.
func (c ReasonCode) Mover() Mover {
	if m, ok := movers[c]; ok {
		return m
	}
	return MoverOperator
}

// Reason is why something is as it is: a code, its operands, and one sentence
// with names and numbers that a person could read aloud.
type Reason struct {
	Code     ReasonCode     `json:"code"`
	Mover    Mover          `json:"mover"`
	Text     string         `json:"text"`
	Next     string         `json:"next,omitempty"` // the next command, where there is one
	Since    time.Time      `json:"since,omitzero"`
	Operands map[string]any `json:"operands,omitempty"`
}

// NewReason makes a reason whose mover is the code's usual one.
func NewReason(code ReasonCode, text string) *Reason {
	return &Reason{Code: code, Mover: code.Mover(), Text: text}
}

// With adds an operand and returns r.
func (r *Reason) With(key string, value any) *Reason {
	if r.Operands == nil {
		r.Operands = map[string]any{}
	}
	r.Operands[key] = value
	return r
}

// Do sets the next command and returns r.
func (r *Reason) Do(next string) *Reason {
	r.Next = next
	return r
}

// Verdict separates the answers that are often confused.
type Verdict string

// The verdicts of a worker on a task.
const (
	VerdictYes    Verdict = "yes"     // could take it now
	VerdictNotNow Verdict = "not_now" // could, when something passes
	VerdictNever  Verdict = "never"   // could not, even idle
)

// Check is one question that was asked before a decision, and its answer.
type Check struct {
	Code    ReasonCode `json:"code"`
	OK      bool       `json:"ok"`
	Verdict Verdict    `json:"verdict"` // if not OK: not_now or never
	Wanted  string     `json:"wanted"`
	Actual  string     `json:"actual"`
}

// WorkerChecks is what the predicate said of one worker, every check recorded.
type WorkerChecks struct {
	Worker  string  `json:"worker"`
	Verdict Verdict `json:"verdict"`
	Checks  []Check `json:"checks"`
}

// Explanation answers why for a task, a worker or a batch.
type Explanation struct {
	Subject string    `json:"subject"` // task, worker or batch
	Task    *Task     `json:"task,omitempty"`
	Worker  *Worker   `json:"worker,omitempty"`
	Batch   *BatchWhy `json:"batch,omitempty"`
	// Reason is the one current reason.
	Reason Reason `json:"reason"`
	// Workers: for a task, each worker's checks, most willing first.
	Workers []WorkerChecks `json:"workers,omitempty"`
	// Queue: for a worker, what is queued and what it says to each kind of it.
	Queue []ShapeView `json:"queue,omitempty"`
	// Chain: for a task, the tasks it waits for, nearest first.
	Chain []Task `json:"chain,omitempty"`
	// Revision and At say which state the answer speaks of.
	Revision int64     `json:"revision"`
	At       time.Time `json:"at"`
	// Trouble is why the brain cannot commit, if so: nothing begins or ends until
	// it can, and what is newest here may be taken back.
	Trouble string `json:"trouble,omitempty"`
}

// BatchWhy is where the tasks of a batch stand, by reason.
type BatchWhy struct {
	ID     BatchID           `json:"id"`
	Name   string            `json:"name"`
	State  BatchState        `json:"state"`
	Total  int               `json:"total"`
	Counts map[TaskState]int `json:"counts"`
	Groups []WhyGroup        `json:"groups"` // what somebody has to act on first
}

// WhyGroup is the tasks of a step that are in one state for one reason.
type WhyGroup struct {
	Step    string    `json:"step"`
	State   TaskState `json:"state"`
	Tasks   int       `json:"tasks"`
	Example TaskID    `json:"example"` // one of them; Reason speaks of it
	Reason  Reason    `json:"reason"`
}

// ShapeView is a group of queued tasks with equal requirements, as one worker sees it.
type ShapeView struct {
	Class   Class        `json:"class"`
	Model   string       `json:"model,omitempty"`
	Needs   string       `json:"needs,omitempty"` // requirements in words
	Queued  int          `json:"queued"`
	Example TaskID       `json:"example"`
	Checks  WorkerChecks `json:"checks"`
}
