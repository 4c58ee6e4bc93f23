package candor

import "time"

// Level is how loud an event is.
type Level string

// The levels, and what each is for.
const (
	LevelDebug Level = "DEBUG"
	LevelInfo  Level = "INFO"
	LevelWarn  Level = "WARN"
	LevelError Level = "ERROR"
)

// EventCode is a stable name of what happened.
type EventCode string

// The events of a brain. A worker's own log has its own lines (package worker).
const (
	EventBatchSubmitted  EventCode = "batch.submitted"
	EventBatchExpanded   EventCode = "batch.expanded"
	EventBatchComplete   EventCode = "batch.complete"
	EventBatchCancelled  EventCode = "batch.cancelled"
	EventBatchExpired    EventCode = "batch.expired"
	EventTaskClaimed     EventCode = "task.claimed"
	EventTaskComplete    EventCode = "task.complete"
	EventTaskFailed      EventCode = "task.failed"
	EventTaskRetry       EventCode = "task.retry"
	EventTaskRequeued    EventCode = "task.requeued"
	EventTaskCancelled   EventCode = "task.cancelled"
	EventTaskRevived     EventCode = "task.revived"
	EventTaskStuck       EventCode = "task.stuck"
	EventTaskMoving      EventCode = "task.moving"
	EventTaskAborting    EventCode = "task.aborting"
	EventTaskPoison      EventCode = "task.poison"
	EventTaskSuspect     EventCode = "task.suspect"
	EventStepIdentical   EventCode = "step.identical"
	EventResultFenced    EventCode = "result.fenced"
	EventRunsTwice       EventCode = "task.runs_twice"
	EventWorkerJoined    EventCode = "worker.joined"
	EventWorkerLeft      EventCode = "worker.left"
	EventWorkerExited    EventCode = "worker.exited"
	EventWorkerLost      EventCode = "worker.lost"
	EventWorkerBack      EventCode = "worker.back"
	EventWorkerStopped   EventCode = "worker.stopped" // its process is frozen
	EventWorkerNotAsking EventCode = "worker.not_asking"
	EventQuarantined     EventCode = "worker.quarantined"
	EventWorkerDrain     EventCode = "worker.drain"
	EventWorkerForgotten EventCode = "worker.forgotten" // away for so long that nobody keeps it
	EventLeaseExpired    EventCode = "lease.expired"
	EventPaused          EventCode = "pause"
	EventResumed         EventCode = "resume"
	EventMonitor         EventCode = "monitor"
	EventOrderMade       EventCode = "order.made"
	EventOrderExpired    EventCode = "order.expired"
	EventOrderOverdue    EventCode = "order.overdue"  // available, and those it is for still have no model
	EventOrderFailed     EventCode = "order.failed"   // an optional load that failed ends nothing else
	EventModelLoaded     EventCode = "model.loaded"   // by an order
	EventModelUnloaded   EventCode = "model.unloaded" // by an order
	EventModelGone       EventCode = "model.gone"     // no longer there, and no order did it
	EventServerDown      EventCode = "server.down"    // a worker's model server
	EventServerUp        EventCode = "server.up"
	EventThrash          EventCode = "place.thrash"
	EventRoomKept        EventCode = "room.kept"   // on a card, for a task that goes first there
	EventHot             EventCode = "worker.hot"  // its card is too hot
	EventCool            EventCode = "worker.cool" // it is cool again
	EventRowsFailed      EventCode = "rows.failed"
	EventHostFault       EventCode = "worker.host_fault" // its host, not the tasks, fails the attempts on it
	EventStoreSlow       EventCode = "store.slow"        // a commit took unusually long
	EventProbe           EventCode = "worker.probe"      // a quarantined worker gets one task
)

// Event is one thing that happened, as the log, the event table and every
// follower tell it: a sentence with numbers, and the operands for programs.
type Event struct {
	Seq     int64      `json:"seq"`
	At      time.Time  `json:"time"`
	Level   Level      `json:"level"`
	Code    EventCode  `json:"code"`
	Text    string     `json:"msg"`
	Batch   BatchID    `json:"batch,omitzero"`
	Task    TaskID     `json:"task,omitzero"`
	Attempt int        `json:"attempt,omitempty"`
	Lease   int64      `json:"lease,omitempty"`
	Worker  string     `json:"worker,omitempty"`
	Class   Class      `json:"class,omitempty"`
	Model   string     `json:"model,omitempty"`
	Reason  ReasonCode `json:"reason,omitempty"`
	Took    Duration   `json:"duration,omitempty"`
}
