package runtimetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"candor/internal/runtime"
)

// Subject is a running server with models, freshly started, nothing loaded.
type Subject struct {
	Server runtime.Server
	Models Models
	// Settings are what the models, except Huge, can be loaded with.
	Settings runtime.Settings
	Faults   Faults
	// Cannot names what this server honestly cannot do, each with the reason.
	// The suite then wants it to say so, or to do without.
	Cannot map[Ability]string
}

// Ability is what most servers can do, and some cannot.
type Ability string

// The abilities that a Subject may lack.
const (
	Unload      Ability = "unload"       // unloads a model when told to; else it refuses
	Settle      Ability = "settle"       // loads a model with the settings asked for
	Account     Ability = "account"      // says how large models are, and which are in memory
	Digests     Ability = "digests"      // knows a model's content
	RefuseLong  Ability = "refuse long"  // refuses a prompt over the context; else the numbers tell
	StopAtFull  Ability = "stop at full" // ends an answer when the context is full; else it forgets the beginning
	TellDeath   Ability = "tell death"   // says in mid-answer that the model's process died; else the answer just ends
	TextVectors Ability = "text vectors" // makes vectors with a model that is loaded for text
)

// lacks says whether the server cannot do something, and notes the reason.
func (s Subject) lacks(t *testing.T, a Ability) bool {
	t.Helper()
	why, lacks := s.Cannot[a]
	if lacks {
		t.Logf("cannot %s: %s", a, why)
	}
	return lacks
}

// Models are the names of what the server has. Ask for an answer of Endless
// and there is time to do something meanwhile: it takes seconds to fill a
// context of 4096 tokens, and never ends by itself.
type Models struct {
	Tiny, Other string // answer in tens of tokens; different contents
	Endless     string
	Vector      string // makes vectors; may be Tiny
	Stutter     string // repeats one token
	Huge        string // claims a context that no machine holds
	Broken      string // listed, but its file cannot be loaded
}

// Faults break the server. All but Kill are undone by what they return.
type Faults struct {
	Kill         func()                    // as kill -9: the server is gone
	Freeze       func() (thaw func())      // as SIGSTOP of the server
	KillRunner   func(model string)        // as kill -9 of the model's process
	FreezeRunner func(model string) func() // as SIGSTOP of the model's process
}

// Sizes of the suite's requests.
const (
	hugeContext = 1 << 29
	few         = 8               // tokens, when the text does not matter
	plenty      = 4000            // tokens, when there has to be time
	limit       = 5 * time.Minute // met only by what hangs: real servers share the machine
)

// Run runs the suite, each test in parallel with others; start is called once
// for each.
func Run(t *testing.T, start func(t *testing.T) Subject) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s Subject)
	}{
		{"identity", identity},
		{"lists", lists},
		{"load is a token", loadIsAToken},
		{"load of what is loaded changes nothing", loadTwice},
		{"load again after other settings", loadOtherSettings},
		{"load of a missing model", loadMissing},
		{"load of another content", loadWrongContent},
		{"load of a broken file", loadBroken},
		{"load that does not fit tells what it evicted", loadTooLarge},
		{"load with a context lowered in silence", loadLowered},
		{"load refuses the CPU", loadOnCPU},
		{"load that expires", loadExpires},
		{"load tells its steps", loadProgress},
		{"unload is over when the model is gone", unload},
		{"unload names who holds", unloadHeld},
		{"pull of a model that is not to be had", pullMissing},
		{"answer", answer},
		{"answer with a seed", answerSeeded},
		{"answer by a schema", answerSchema},
		{"answer cut at its limit", answerLimit},
		{"answer that is overdue", answerOverdue},
		{"answer that repeats itself", answerRepeats},
		{"answer of another content", answerWrongContent},
		{"answer of a missing model", answerMissing},
		{"prompt over the context", promptTooLong},
		{"context full", contextFull},
		{"requests that leave too much open", refused},
		{"caller leaves", callerLeaves},
		{"many at once", manyAtOnce},
		{"embed", embed},
		{"health", health},
		{"server killed", serverKilled},
		{"server killed in mid-answer", serverKilledMidAnswer},
		{"server frozen", serverFrozen},
		{"runner killed in mid-answer", runnerKilledMidAnswer},
		{"runner killed while idle", runnerKilledIdle},
		{"runner frozen in mid-answer", runnerFrozenMidAnswer},
		{"runner frozen while idle", runnerFrozenIdle},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, start(t))
		})
	}
}

// within bounds a test's patience with a server.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// load loads a model that is expected to load.
func (s Subject) load(t *testing.T, model string) runtime.Change {
	t.Helper()
	change, err := s.Server.Load(within(t), runtime.LoadRequest{Model: model, Settings: s.Settings})
	if err != nil {
		t.Fatalf("load %s: %v", model, err)
	}
	return change
}

// loaded is what the server lists, by canonical name.
func (s Subject) loaded(t *testing.T) map[string]runtime.Resident {
	t.Helper()
	all, err := s.Server.Loaded(within(t))
	if err != nil {
		t.Fatalf("loaded: %v", err)
	}
	by := map[string]runtime.Resident{}
	for _, r := range all {
		by[r.Model] = r
	}
	return by
}

// ask is a request for up to tokens tokens of a model.
func (s Subject) ask(model string, tokens int) runtime.Request {
	seed := int64(7)
	return runtime.Request{
		Model: model, Settings: s.Settings, MaxTokens: tokens,
		Messages: []runtime.Message{{Role: "user", Text: "Tell me something."}},
		Sampling: runtime.Sampling{Seed: &seed},
	}
}

// wantCode fails the test unless err has the code, and returns its operands.
func wantCode(t *testing.T, err error, code runtime.Code) map[string]any {
	t.Helper()
	e, ok := errors.AsType[*runtime.Error](err)
	if !ok || e.Code != code || e.Text == "" {
		t.Fatalf("error %v (code %q), want code %q and a sentence", err, runtime.CodeOf(err), code)
		return nil
	}
	return e.Detail
}

// flight is an answer that is being written.
type flight struct {
	cancel context.CancelFunc
	ended  chan result
}

type result struct {
	answer runtime.Answer
	err    error
}

// fly starts an endless answer and returns once tokens have come.
func (s Subject) fly(t *testing.T, r runtime.Request) flight {
	t.Helper()
	ctx, cancel := context.WithCancel(within(t))
	t.Cleanup(cancel)
	f := flight{cancel: cancel, ended: make(chan result, 1)}
	flowing := make(chan struct{})
	go func() {
		n := 0
		a, err := s.Server.Generate(ctx, r, func(runtime.Chunk) {
			if n++; n == few {
				close(flowing)
			}
		})
		f.ended <- result{a, err}
	}()
	select {
	case <-flowing:
	case r := <-f.ended:
		t.Fatalf("the answer ended before it could be disturbed: %+v, %v", r.answer, r.err)
	}
	return f
}

// await is the flight's result.
func (f flight) await(t *testing.T) result {
	t.Helper()
	select {
	case r := <-f.ended:
		return r
	case <-within(t).Done():
		t.Fatalf("the answer did not end within %s", limit)
		return result{}
	}
}
