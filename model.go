package candor

import (
	"strings"
	"time"
)

// ModelName is the one spelling of a model's name by which candor compares and
// shows it: servers that use tags list "m" as "m:latest", which is the same.
func ModelName(name string) string { return strings.TrimSuffix(strings.TrimSpace(name), ":latest") }

// ServerState is where a worker's model server stands.
type ServerState string

// The states of a model server, as its worker sees it.
const (
	ServerStarting ServerState = "starting" // not answering yet
	ServerUp       ServerState = "up"       // answers, as the program it should be
	ServerDown     ServerState = "down"     // does not answer, or is being started again
	ServerOut      ServerState = "out"      // fell too often: left alone until a person acts
	ServerStranger ServerState = "stranger" // another program answers on its address
)

// Serving is what a worker says of its model server. Ages are durations, since
// clocks of two machines differ.
type Serving struct {
	Kind      string      `json:"kind"` // ollama, llama-server, openai
	URL       string      `json:"url"`
	State     ServerState `json:"state"`
	For       Duration    `json:"for,omitempty"`       // in that state
	Text      string      `json:"text,omitempty"`      // why it is not up, in one sentence
	Code      ReasonCode  `json:"code,omitempty"`      // of the fault behind it, where there is one
	Managed   bool        `json:"managed,omitempty"`   // started by its worker
	Simulated bool        `json:"simulated,omitempty"` // no model is behind it
	Restarts  int         `json:"restarts,omitempty"`
	// Take is how many llm attempts the worker would hold at once: what its
	// server answers at once, by its present bearing, and a few in reserve.
	Take   int           `json:"take"`
	Most   int           `json:"most,omitempty"`  // models it may hold at once; 0: as many as fit
	Slots  int           `json:"slots,omitempty"` // requests it answers at once, by its present bearing
	Models []ServedModel `json:"models,omitempty"`
	Work   *ModelWork    `json:"work,omitempty"` // the load or unload under way
}

// ServedModel is a model in a server's memory.
type ServedModel struct {
	Name    string `json:"name"` // as ModelName spells it
	Digest  string `json:"digest,omitempty"`
	Context int    `json:"context,omitempty"` // tokens of one conversation
	Size    Bytes  `json:"size,omitempty"`
	VRAM    Bytes  `json:"vram,omitempty"` // the part of Size on the card
	// Ready: it has produced a token since it was loaded, and nothing is known against it.
	Ready bool     `json:"ready"`
	Doubt string   `json:"doubt,omitempty"`             // why it is not ready, though it was
	Token Duration `json:"token_age,omitempty"`         // since its last token
	Rate  float64  `json:"tokens_per_second,omitempty"` // usual, of one answer
	InUse int      `json:"in_use,omitempty"`            // requests under way
}

// ModelWork is a load or unload under way.
type ModelWork struct {
	Kind  OrderKind `json:"kind"`
	Model string    `json:"model"`
	For   Duration  `json:"for"`
	Usual Duration  `json:"usual,omitempty"` // what it took before on this worker; 0: not known
}

// CatalogModel is one that a worker's server could load.
type CatalogModel struct {
	Name   string `json:"name"` // as ModelName spells it
	Digest string `json:"digest,omitempty"`
	Size   Bytes  `json:"size,omitempty"` // on disk
}

// Catalog is all that a worker's server could load, by name.
type Catalog struct {
	Models []CatalogModel `json:"models"`
}

// OrderKind is what a resource task does.
type OrderKind string

// The kinds of orders.
const (
	OrderLoad   OrderKind = "load_llm"
	OrderUnload OrderKind = "unload_llm"
	OrderPull   OrderKind = "pull_llm"
)

// Order is the work of a resource task: made by the brain's rules or by a
// person. Its batch says when it expires.
type Order struct {
	Kind  OrderKind `json:"kind"`
	Model string    `json:"model"`
	// Context is the least number of tokens one conversation must have room for;
	// 0: the worker's own setting.
	Context int `json:"context,omitempty"`
	// Evict are the models that go first, to make room.
	Evict []string `json:"evict,omitempty"`
	// Need is what it answers, in one sentence.
	Need string `json:"need,omitempty"`
	By   string `json:"by,omitempty"` // who made it; "candor": a rule
}

// OrderResult is what an order did: an order that changed nothing is no success.
type OrderResult struct {
	Before   []ServedModel `json:"before"`
	After    []ServedModel `json:"after"`
	Changed  bool          `json:"changed"`
	Evicted  []string      `json:"evicted,omitempty"`
	Took     Duration      `json:"took"`
	LoadTook Duration      `json:"load_took,omitempty"` // the server's own measure of loading
}

// ModelView is a model as the API shows it, over all workers.
type ModelView struct {
	Name string `json:"name"`
	Size Bytes  `json:"size,omitempty"` // on disk
	// Queued and Running are the llm tasks that want it.
	Queued  int `json:"queued"`
	Running int `json:"running"`
	// Workers: each one that has it, could load it, or is ordered to.
	Workers []ModelWorker `json:"workers"`
	// Load and Run are measured: of a load, and per task of one worker; 0: not yet.
	Load   Duration `json:"load_usual,omitempty"`
	Run    Duration `json:"run_usual,omitempty"`
	VRAM   Bytes    `json:"vram,omitempty"` // measured, on a card
	Reason *Reason  `json:"reason,omitempty"`
	// Revision and At say which state this speaks of.
	Revision int64     `json:"revision,omitempty"`
	At       time.Time `json:"at,omitzero"`
}

// ModelWorker is how one worker stands to one model.
type ModelWorker struct {
	Worker string `json:"worker"`
	// State is ready, loading, unloading, listed (in memory, no token yet),
	// ordered, available, or missing.
	State string  `json:"state"`
	Order TaskID  `json:"order,omitzero"` // the order under way or waiting
	VRAM  Bytes   `json:"vram,omitempty"`
	InUse int     `json:"in_use,omitempty"`
	Rate  float64 `json:"tokens_per_second,omitempty"`
	// Checks are the rules of placement that were asked of this worker for this
	// model, with their operands; the first that is not OK is why no load is ordered.
	Checks []Check `json:"checks,omitempty"`
}

// OrderRequest asks for orders, one for each worker named.
type OrderRequest struct {
	Kind    OrderKind `json:"kind"`
	Model   string    `json:"model"`
	Workers []string  `json:"workers,omitempty"` // none: any one that can
	Context int       `json:"context,omitempty"`
	By      string    `json:"by,omitempty"`
	Expires Duration  `json:"expires,omitempty"` // 0: the brain's setting
	DryRun  bool      `json:"dry_run,omitempty"`
}

// OrderReply names the tasks that carry the orders.
type OrderReply struct {
	Orders []Ordered `json:"orders"`
}

// Ordered is one order that was made, or that was under way already.
type Ordered struct {
	Task    TaskID  `json:"task_id,omitzero"`
	Batch   BatchID `json:"batch_id,omitzero"`
	Worker  string  `json:"worker,omitempty"` // empty: any
	Already bool    `json:"already,omitempty"`
	Text    string  `json:"text"`
}

// Account is the conserved account of a worker's time since it joined: each
// second belongs to exactly one code, and they add up.
type Account struct {
	From time.Time               `json:"from"` // when it joined
	To   time.Time               `json:"to"`
	Sums map[ReasonCode]Duration `json:"sums"`
}
