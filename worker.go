package candor

import "time"

// WorkerInfo is what a worker says of itself when it registers.
type WorkerInfo struct {
	Name    string   `json:"name"`
	Host    string   `json:"host"`
	PID     int      `json:"pid"`
	Started int64    `json:"started,omitempty"` // start time of PID, platform units: tells a reused pid
	Version string   `json:"version,omitempty"`
	Classes []Class  `json:"classes"` // what it takes, in order of preference
	Slots   int      `json:"slots"`   // attempts at once
	Labels  []string `json:"labels,omitempty"`
	// Tools are the usual of its programs, or those that its owner offers: for people
	// to see. The brain writes them, from Programs.
	Tools []string `json:"tools,omitempty"`
	GPU   *GPU     `json:"gpu,omitempty"`
	// Supervised names the supervisor that can see and end this worker's processes.
	Supervisor string `json:"supervisor,omitempty"`
	// Dir is where its attempts run, on its own host.
	Dir string `json:"dir,omitempty"`
}

// GPU is a card as its worker sees it.
type GPU struct {
	Index       int     `json:"index"`
	UUID        string  `json:"uuid"`
	Name        string  `json:"name"`
	Total       Bytes   `json:"vram_total"`
	Free        Bytes   `json:"vram_free"`
	Temperature float64 `json:"temperature_c,omitempty"`
	Utilisation float64 `json:"utilization,omitempty"` // 0..1
	Power       float64 `json:"power_w,omitempty"`
	// Others are processes on the card that are not the worker's, largest first.
	Others []GPUProcess `json:"others,omitempty"`
}

// GPUProcess is a process that holds memory of a card.
type GPUProcess struct {
	PID  int    `json:"pid"`
	Name string `json:"name,omitempty"` // of its program
	VRAM Bytes  `json:"vram,omitempty"`
}

// View is what a worker knows of itself when it asks for work.
type View struct {
	State WorkerState `json:"state"`
	Model string      `json:"model,omitempty"` // loaded and ready; of several the one used last
	GPU   *GPU        `json:"gpu,omitempty"`
	Port  int         `json:"port,omitempty"` // of its model server
	// Serving is its model server; nil: it has none.
	Serving *Serving `json:"serving,omitempty"`
}

// Worker is a worker as the API shows it.
type Worker struct {
	WorkerInfo
	Session   int64       `json:"session"`
	State     WorkerState `json:"state"`
	Model     string      `json:"model,omitempty"`
	Draining  bool        `json:"draining,omitempty"`
	Drained   *Pause      `json:"drained,omitempty"` // who drains it; missing: a drain of an earlier version, or none
	Paused    *Pause      `json:"paused,omitempty"`  // by a person, else its quarantine
	Running   []Running   `json:"running,omitempty"`
	Doing     string      `json:"doing,omitempty"`       // what its main loop is doing, by its reporter
	DoingAt   time.Time   `json:"doing_since,omitzero"`  // since when
	JoinedAt  time.Time   `json:"joined_at"`             // this process
	SeenAt    time.Time   `json:"last_heartbeat"`        // by the brain's clock
	AskedAt   time.Time   `json:"last_claim,omitzero"`   // when it last asked for work
	IdleSince time.Time   `json:"idle_since,omitzero"`   // zero: not idle
	Completed int         `json:"completed"`             // by this process
	Failed    int         `json:"failed"`                // by this process
	Reason    *Reason     `json:"reason,omitempty"`      // why it is idle, if it is
	LastClaim *Report     `json:"last_report,omitempty"` // what its last fruitless claim saw
	Card      *GPU        `json:"card,omitempty"`        // as it last reported
	Serving   *Serving    `json:"serving,omitempty"`     // its model server, as it last reported
	Account   *Account    `json:"account,omitempty"`     // of its time since it joined
	Programs  int         `json:"programs,omitempty"`    // how many its PATH has, or its owner offers; 0: not known
	// Share is the part of the farm's recent completions that it did, 0..1.
	Share float64 `json:"share,omitempty"`
	// EvenShare is the part that its slots are of those of all workers that are there.
	EvenShare float64 `json:"even_share,omitempty"`
	// Races are the tasks that it waited for, and who got them.
	Races *Races `json:"races,omitempty"`
}

// Running is one attempt in progress.
type Running struct {
	Task     TaskID    `json:"task"`
	Name     string    `json:"name"`
	Attempt  int       `json:"attempt"`
	Lease    int64     `json:"lease"`
	Since    time.Time `json:"since"`
	Progress *Progress `json:"progress,omitempty"`
	Stuck    bool      `json:"stuck,omitempty"`
}

// Report is what a claim saw when it took less than it could: by class, how
// many were queued and how many it could take, and every refusal counted by
// the reason recorded where it was decided.
type Report struct {
	At       time.Time          `json:"at"`
	Queued   map[Class]int      `json:"queued,omitempty"`
	Eligible map[Class]int      `json:"eligible,omitempty"`
	Refused  map[ReasonCode]int `json:"refused,omitempty"`
	// Why is one reason for each code in Refused, with its operands.
	Why []Reason `json:"why,omitempty"`
	// Lost names tasks that this claim could have had while it waited, had
	// nobody else been before it; one for each kind of task.
	Lost []Race `json:"lost,omitempty"`
}

// Race is a task that went to somebody else while a worker waited for one.
type Race struct {
	Task   TaskID   `json:"task"`
	Name   string   `json:"name"`
	Winner string   `json:"winner"`
	Margin Duration `json:"margin"` // how much earlier the winner had asked
}

// SayMargin words a Margin. It is negative where the winner asked later: with a
// result that made the task ready, and before anybody who waited was looked at.
func SayMargin(d Duration) string {
	if d < 0 {
		return "asked " + (-d).String() + " later"
	}
	return "had asked " + d.String() + " earlier"
}

// Races are a worker's ledger: what it got since it joined, and what went to
// others while it waited for work and could have begun it.
type Races struct {
	Since time.Time `json:"since"`
	Won   int       `json:"won"`  // tasks that it got
	Lost  int       `json:"lost"` // that others got
	To    []Rival   `json:"to,omitempty"`
	// Others counts what was lost to those for whom the ledger has no room.
	Others  int  `json:"others,omitempty"`
	AtLeast bool `json:"at_least,omitempty"` // more was lost than could be counted
}

// Rival is whom a worker lost to. Margins are by how much earlier it had asked.
type Rival struct {
	Worker string    `json:"worker"`
	Lost   int       `json:"lost"`
	Median Duration  `json:"median_margin"` // of the last nine
	Last   Duration  `json:"last_margin"`
	At     time.Time `json:"at"` // of the last one
}
