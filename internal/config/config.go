package config

import "candor"

// Path is a file or directory. In a configuration file a leading ~/ is the home
// directory, and a relative path starts at the file's own directory.
type Path string

// Config is all settings. Tags: koanf = key, default = its text, doc = what it
// means, env = its variable where that is not CANDOR_ and the key, enum = the
// only values, min = the least value, live = "yes" where a running process
// takes up a change on SIGHUP.
type Config struct {
	State      Path            `koanf:"state" env:"CANDOR_STATE_DIR" doc:"Directory of the brain's data. Empty: $XDG_STATE_HOME/candor, which usually is ~/.local/state/candor. Never on a network file system."`
	Brain      Brain           `koanf:"brain" doc:"Where the brain listens, and where others find it."`
	TokenFile  Path            `koanf:"token_file" doc:"File with the token that this client or worker shows to the brain. A unix socket or loopback needs none."`
	TokensFile Path            `koanf:"tokens_file" doc:"The brain's file of accepted tokens and their roles: viewer, operator, worker. Needed to listen anywhere but on a unix socket or loopback."`
	Log        Log             `koanf:"log" doc:"What candor's own processes write."`
	Heartbeat  Heartbeat       `koanf:"heartbeat" doc:"Signs of life of workers."`
	Lease      candor.Duration `koanf:"lease" default:"120s" min:"1s" live:"yes" doc:"Silence after which a worker's tasks are taken back and given to others."`
	Stuck      Stuck           `koanf:"stuck" doc:"How long a running task may show no progress before it is called stuck, by class. Being stuck is a warning; a step's no_progress ends the attempt."`
	Priority   Priority        `koanf:"priority" doc:"The order of the queue."`
	Retry      Retry           `koanf:"retry" doc:"Further attempts of tasks whose plan does not say otherwise."`
	Monitor    Monitor         `koanf:"monitor" doc:"The MONITOR line of the brain's log."`
	Retention  Retention       `koanf:"retention" doc:"How much history is kept. Work that is not finished is never removed."`
	Worker     Worker          `koanf:"worker" doc:"What a worker on this machine is and takes."`
	Models     Models          `koanf:"models" doc:"The model server of a worker of this machine."`
	Placement  Placement       `koanf:"placement" doc:"Which worker should hold which model: the brain's rules."`
	Heat       Heat            `koanf:"heat" doc:"When a card is too hot for more work."`
	Up         Up              `koanf:"up" doc:"What candor up and candor run start on this machine."`
	Supervise  Supervise       `koanf:"supervise" doc:"Restarts of the processes that candor up and candor run keep alive."`
}

// Brain says where the brain is.
type Brain struct {
	URL    string   `koanf:"url" doc:"Where clients and workers find the brain: unix:///path/to.sock or http://host:port. Empty: the socket of the state directory."`
	Listen []string `koanf:"listen" doc:"Where the brain listens beside the socket candor.sock of its state directory: host:port or unix:///path/to.sock. An address that other machines can reach needs tokens_file."`
}

// Log says what candor's own processes write.
type Log struct {
	Level  string `koanf:"level" default:"info" enum:"debug,info,warn,error" live:"yes" doc:"Least level on the console and in the log file. The debug ring keeps every level."`
	Format string `koanf:"format" default:"text" enum:"text,json" doc:"Form of console lines."`
	Dir    Path   `koanf:"dir" doc:"Directory of log files, one for each process, and of the debug rings. Empty: logs in the state directory."`
}

// Heartbeat says how workers show that they live.
type Heartbeat struct {
	Interval candor.Duration `koanf:"interval" default:"5s" min:"100ms" live:"yes" doc:"Time between two heartbeats of a worker."`
	Lost     candor.Duration `koanf:"lost" default:"60s" min:"1s" live:"yes" doc:"Silence after which a worker counts as lost."`
	Asking   candor.Duration `koanf:"asking" default:"60s" min:"1s" live:"yes" doc:"A living worker with room that has not asked for work for this long is named in the log."`
}

// Stuck has a threshold for each class.
type Stuck struct {
	CPU      candor.Duration `koanf:"cpu" default:"5m" min:"1s" live:"yes" doc:"Class cpu."`
	Script   candor.Duration `koanf:"script" default:"5m" min:"1s" live:"yes" doc:"Class script."`
	LLM      candor.Duration `koanf:"llm" default:"5m" min:"1s" live:"yes" doc:"Class llm."`
	Resource candor.Duration `koanf:"resource" default:"10m" min:"1s" live:"yes" doc:"Class resource: loading a large model from a slow disk takes minutes."`
}

// Priority orders the queue.
type Priority struct {
	Aging candor.Duration `koanf:"aging" default:"1m" min:"1ms" live:"yes" doc:"Waiting time that is worth one step of priority, so that low priorities get through in time."`
}

// Retry spaces and bounds attempts.
type Retry struct {
	Backoff    candor.Duration `koanf:"backoff" default:"1s" min:"1ms" live:"yes" doc:"Pause before the second attempt; it doubles with each further one."`
	BackoffMax candor.Duration `koanf:"backoff_max" default:"10m" min:"1ms" live:"yes" doc:"The longest pause."`
	Uncounted  int             `koanf:"uncounted" default:"50" min:"1" live:"yes" doc:"Attempts that do not use up the retries of a task (its worker died, exit 75) after which it fails all the same."`
	Poison     int             `koanf:"poison" default:"2" min:"1" live:"yes" doc:"Workers that must die under a task before it is set aside."`
	PoisonHold candor.Duration `koanf:"poison_hold" default:"10s" min:"1ms" live:"yes" doc:"How long a task is held back after a worker died under it; if other workers die meanwhile, it is cleared."`
	Quarantine int             `koanf:"quarantine" default:"5" min:"2" live:"yes" doc:"Different tasks that must fail on a worker, while others succeed elsewhere, before it is shut out. It is tried again with one task after a minute, then after twice as long, and so on."`
}

// Monitor spaces the MONITOR line.
type Monitor struct {
	Interval candor.Duration `koanf:"interval" default:"30s" min:"1s" live:"yes" doc:"Time between two MONITOR lines."`
}

// Retention bounds history.
type Retention struct {
	Age     candor.Duration `koanf:"age" default:"720h" min:"0s" live:"yes" doc:"Age of ended batches and of events at which they are removed. 0s: no limit."`
	Workers candor.Duration `koanf:"workers" default:"24h" min:"0s" live:"yes" doc:"How long a worker that is gone or silent stays known, with its pauses, while it holds no task. 0s: for ever."`
	Size    candor.Bytes    `koanf:"size" default:"2GiB" min:"0" live:"yes" doc:"Size of the store above which the oldest history goes first. 0: no limit."`
}

// Worker describes a worker of this machine.
type Worker struct {
	Name       string          `koanf:"name" doc:"Name of the worker that candor worker runs. Empty: the machine's name. candor up names its own worker-1, worker-2, and gpu-0 for the first card."`
	Slots      int             `koanf:"slots" default:"0" min:"0" doc:"Tasks at once. 0: one for a worker with a GPU; for the others the machine's cores, shared between them."`
	Classes    []candor.Class  `koanf:"classes" enum:"resource,script,cpu,llm" doc:"Classes it takes, in order of preference. Empty: cpu; with a GPU script and cpu."`
	Labels     []string        `koanf:"labels" doc:"Labels that plans can require."`
	Tools      []string        `koanf:"tools" doc:"Programs that plans can require, offered if they are found on PATH. Empty: every program on PATH."`
	Grace      candor.Duration `koanf:"grace" default:"30s" min:"1ms" doc:"Time that running tasks get to end when the worker is asked to go."`
	KillGrace  candor.Duration `koanf:"kill_grace" default:"5s" min:"1ms" doc:"Time that a task's processes get between TERM and KILL."`
	BadExit    int             `koanf:"bad_worker_exit" default:"0" min:"0" doc:"Exit code by which a task says that its worker is bad, so that it is tried elsewhere. 0: none."`
	KeepFailed int             `koanf:"keep_failed" default:"20" min:"1" doc:"Work directories of failed attempts that are kept."`
}

// Up says what is started on this machine.
type Up struct {
	Workers int  `koanf:"workers" default:"1" min:"0" doc:"Workers without a GPU."`
	GPUs    bool `koanf:"gpus" default:"true" doc:"One worker more for each GPU found."`
}

// Supervise says how fallen processes are started again.
type Supervise struct {
	Backoff    candor.Duration `koanf:"backoff" default:"1s" min:"1ms" doc:"Pause before the first restart; it doubles with each further one."`
	BackoffMax candor.Duration `koanf:"backoff_max" default:"1m" min:"1ms" doc:"The longest pause."`
	Stable     candor.Duration `koanf:"stable" default:"1m" min:"1ms" doc:"After running this long a process counts as sound, and its pauses start small again."`
	Grace      candor.Duration `koanf:"grace" default:"40s" min:"1ms" doc:"Time that a worker or brain gets between the request to end and KILL. Longer than worker.grace."`
}
