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

	Placement Placement // which worker should hold which model
	Heat      Heat      // when a card is too hot

	Monitor time.Duration // between MONITOR lines
	Linger  time.Duration // how long an ended batch stays in memory
	Forget  time.Duration // how long a worker that is gone or lost stays known; negative: for ever

	BatchRoot string // where batches keep their outputs, on the brain's host
}

// Placement holds the rules of which worker should hold which model.
type Placement struct {
	MaxHot       int           // workers that may hold one model; 0: as many as there are
	Hold         time.Duration // a model that was loaded stays at least so long while it is used
	MaxWait      time.Duration // tasks that waited longer for their model get a worker, whoever loses it
	Expect       time.Duration // an order that is older, and those it is for still have no model: an alarm
	Expiry       time.Duration // an order that nobody took is dropped
	LoadsPerHost int           // at once: they share its disk and bus
	IdleUnload   time.Duration // a model nobody asked for is unloaded; 0: it stays until its room is needed
	LoadGuess    time.Duration // what a load takes, before one was measured
	RunGuess     time.Duration // what a task takes, before one was measured
	Retry        time.Duration // after a load failed on a worker, before it is tried there again; doubles
	Off          bool          // orders come from people only
}

// Heat holds the limits of a card's temperature, in degrees Celsius.
type Heat struct {
	Limit  float64 // at or above it a worker gets nothing new; negative: never
	Resume float64 // below it again it does
}

// Defaults are the rules when nobody sets others. Silence for a
// minute and no movement for five are what people watch for; the lease is longer
// than the 90 seconds for which a cut-off worker's work must survive.
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
		Placement: Placement{
			Hold: time.Minute, MaxWait: 10 * time.Minute, Expect: time.Minute, Expiry: 15 * time.Minute, LoadsPerHost: 1,
			LoadGuess: 15 * time.Second, RunGuess: 5 * time.Second, Retry: 30 * time.Second,
		},
		Heat:    Heat{Limit: 85, Resume: 75},
		Monitor: 30 * time.Second,
		Linger:  10 * time.Minute,
		Forget:  24 * time.Hour,
	}
}

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	d := Defaults()
	for _, f := range []struct{ have, def *time.Duration }{
		{&c.Heartbeat, &d.Heartbeat}, {&c.Lost, &d.Lost}, {&c.Lease, &d.Lease}, {&c.Asking, &d.Asking},
		{&c.Aging, &d.Aging}, {&c.Backoff, &d.Backoff}, {&c.BackoffMax, &d.BackoffMax},
		{&c.Placement.Hold, &d.Placement.Hold}, {&c.Placement.MaxWait, &d.Placement.MaxWait}, {&c.Placement.Expect, &d.Placement.Expect},
		{&c.Placement.Expiry, &d.Placement.Expiry}, {&c.Placement.LoadGuess, &d.Placement.LoadGuess},
		{&c.Placement.RunGuess, &d.Placement.RunGuess}, {&c.Placement.Retry, &d.Placement.Retry},
		{&c.PoisonHold, &d.PoisonHold}, {&c.BadWindow, &d.BadWindow}, {&c.Monitor, &d.Monitor}, {&c.Linger, &d.Linger}, {&c.Forget, &d.Forget},
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
	if c.Placement.LoadsPerHost == 0 {
		c.Placement.LoadsPerHost = d.Placement.LoadsPerHost
	}
	if c.Heat.Limit == 0 {
		c.Heat = d.Heat
	}
	stuck := d.Stuck
	for class, limit := range c.Stuck {
		stuck[class] = limit
	}
	c.Stuck = stuck
	return c
}
