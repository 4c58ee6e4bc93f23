package modelhost

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"candor/internal/clock"
	"candor/internal/process"
	"candor/internal/runtime"
)

// What an Options' zero values stand for.
const (
	DefaultSlots         = 4
	DefaultContext       = 4096
	DefaultLoadTimeout   = 10 * time.Minute
	DefaultTokenPatience = 60 * time.Second
	// DefaultAnswerPatience is how long the API may be silent: a machine under
	// load pauses for seconds, not for this long.
	DefaultAnswerPatience = 30 * time.Second
	DefaultPoll           = 2 * time.Second
	DefaultFresh          = time.Minute
	DefaultDrain          = 5 * time.Minute
	DefaultMemoryPatience = 30 * time.Second
	DefaultGrace          = 10 * time.Second
)

// Options say which server to keep, and how.
type Options struct {
	// Name is the worker's; it appears in log lines.
	Name string
	Kind runtime.Kind
	// URL is an attached server's root. Server speaks to it.
	URL    string
	Server runtime.Server
	// Launch says how to start a managed server; nil: it is attached. Port is
	// the one to prefer on the loopback interface; 0, or when it is taken: any.
	Launch Launch
	Port   int
	// Dir keeps the record of a managed server's process for a successor of this
	// worker. LogFile takes the server's output; empty: memory only.
	Dir     string
	LogFile string
	// Family is of which a managed server becomes a member; nil: none.
	Family *process.Family
	Log    *slog.Logger
	Clock  clock.Clock
	// Most is how many models the server holds at once, 0: as many as fit. Beyond
	// it servers push out what they like.
	Most int
	// Slots is how many requests the server answers at once.
	Slots int
	// Context is the least number of tokens that models are loaded with;
	// Threads and Layers as in runtime.Settings.
	Context int
	Threads int
	Layers  *int
	// OnGPU refuses loads that end in the CPU's memory, in part or whole.
	OnGPU bool
	// Card looks at the card's memory; nil: there is none, or none to ask.
	Card func(context.Context) (Card, error)

	LoadTimeout time.Duration // of one load
	// TokenPatience is how long requests may wait without a token; the reading
	// of a long prompt is allowed for on top.
	TokenPatience  time.Duration
	AnswerPatience time.Duration // how long the API may say nothing
	Poll           time.Duration // between two looks at the server
	Fresh          time.Duration // an idle model's last token may be that old before it is asked for another
	Drain          time.Duration // how long an order waits for requests under way
	MemoryPatience time.Duration // how long memory may take to become free
	Grace          time.Duration // between TERM and KILL
	Restart        Restart
}

// Restart bounds how often a server is started again.
type Restart struct {
	Most    int           // restarts within Within before it is left alone
	Within  time.Duration //
	First   time.Duration // pause before the first one; doubled each time
	Longest time.Duration
}

// DefaultRestart allows nine restarts in forty minutes.
func DefaultRestart() Restart {
	return Restart{Most: 9, Within: 40 * time.Minute, First: time.Second, Longest: time.Minute}
}

func (o Options) withDefaults() Options {
	o.Slots = orElse(o.Slots, DefaultSlots)
	o.Context = orElse(o.Context, DefaultContext)
	o.LoadTimeout = orElse(o.LoadTimeout, DefaultLoadTimeout)
	o.TokenPatience = orElse(o.TokenPatience, DefaultTokenPatience)
	o.AnswerPatience = orElse(o.AnswerPatience, DefaultAnswerPatience)
	o.Poll = orElse(o.Poll, DefaultPoll)
	o.Fresh = orElse(o.Fresh, DefaultFresh)
	o.Drain = orElse(o.Drain, DefaultDrain)
	o.MemoryPatience = orElse(o.MemoryPatience, DefaultMemoryPatience)
	o.Grace = orElse(o.Grace, DefaultGrace)
	d := DefaultRestart()
	o.Restart.Most = orElse(o.Restart.Most, d.Most)
	o.Restart.Within = orElse(o.Restart.Within, d.Within)
	o.Restart.First = orElse(o.Restart.First, d.First)
	o.Restart.Longest = orElse(o.Restart.Longest, d.Longest)
	return o
}

func orElse[N int | time.Duration](n, standard N) N {
	if n > 0 {
		return n
	}
	return standard
}

func (o Options) check() error {
	switch {
	case o.Launch == nil && (o.URL == "" || o.Server == nil):
		return errors.New("model server: neither a way to start one nor an address with its adapter is given")
	case o.Launch != nil && o.URL != "":
		return errors.New("model server: both a way to start one and an address are given")
	case o.Launch != nil && o.Dir == "":
		return errors.New("model server: no folder is given for the record of its process")
	}
	return nil
}
