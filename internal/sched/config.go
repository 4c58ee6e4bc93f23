package sched

import (
	"time"

	"candor"
)

// Config holds the rules of deciding. Durations are compared with the brain's
// own clock; a worker's clock never decides.
type Config struct {
	Heartbeat time.Duration // how often workers report
	Lost      time.Duration // silence after which a worker counts as lost
	Lease     time.Duration // silence after which a lost worker's tasks are taken back
	Asking    time.Duration // a worker with free slots that has not asked for this long is named

	Stuck map[candor.Class]time.Duration // no progress for this long is a warning

	Aging      time.Duration // one step of priority is worth this much waiting
	Backoff    time.Duration // before the second attempt; doubles
	BackoffMax time.Duration
	FreeTries  int           // uncounted attempts (transient, lost …) after which a task fails all the same
	Poison     int           // different workers that must die under a task before it is set aside
	PoisonHold time.Duration // how long a task is held back after a worker died under it; negative: not at all

	Quarantine int           // different tasks that must fail on a worker, and succeed elsewhere, before it is shut out
	BadWindow  time.Duration // within this time

	Monitor time.Duration // between MONITOR lines
	Linger  time.Duration // how long an ended batch stays in memory

	BatchRoot string // where batches keep their outputs, on the brain's host
}

// Defaults are the rules when nobody sets others. Heartbeat threshold and the
// five minutes of "stuck" are the seed's; the lease is longer than the 90
// seconds for which a cut-off worker's work must survive.
func Defaults() Config {
	return Config{
		Heartbeat: 5 * time.Second,
		Lost:      60 * time.Second,
		Lease:     120 * time.Second,
		Asking:    60 * time.Second,
		Stuck: map[candor.Class]time.Duration{
			candor.ClassCPU:      5 * time.Minute,
			candor.ClassScript:   5 * time.Minute,
			candor.ClassLLM:      5 * time.Minute,
			candor.ClassResource: 10 * time.Minute,
		},
		Aging:      time.Minute,
		Backoff:    time.Second,
		BackoffMax: 10 * time.Minute,
		FreeTries:  50,
		Poison:     2,
		PoisonHold: 10 * time.Second,
		Quarantine: 5,
		BadWindow:  10 * time.Minute,
		Monitor:    30 * time.Second,
		Linger:     10 * time.Minute,
	}
}

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	d := Defaults()
	for _, f := range []struct{ have, def *time.Duration }{
		{&c.Heartbeat, &d.Heartbeat}, {&c.Lost, &d.Lost}, {&c.Lease, &d.Lease}, {&c.Asking, &d.Asking},
		{&c.Aging, &d.Aging}, {&c.Backoff, &d.Backoff}, {&c.BackoffMax, &d.BackoffMax},
		{&c.PoisonHold, &d.PoisonHold}, {&c.BadWindow, &d.BadWindow}, {&c.Monitor, &d.Monitor}, {&c.Linger, &d.Linger},
	} {
		if *f.have == 0 {
			*f.have = *f.def
		}
	}
	if c.FreeTries == 0 {
		c.FreeTries = d.FreeTries
	}
	if c.Poison == 0 {
		c.Poison = d.Poison
	}
	if c.Quarantine == 0 {
		c.Quarantine = d.Quarantine
	}
	stuck := d.Stuck
	for class, limit := range c.Stuck {
		stuck[class] = limit
	}
	c.Stuck = stuck
	return c
}
