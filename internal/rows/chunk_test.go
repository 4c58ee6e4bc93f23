package rows_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"candor"
	"candor/internal/rows"
	"candor/internal/runtime"
	"candor/internal/simrt"
)

// list is a chunk's item: so many rows with a title.
func list(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"title":"subject %d"}`, i))
	}
	return "[" + strings.Join(all, ",") + "]"
}

// complete wants one result for each row, in order, with exactly one of answer and error.
func complete(t *testing.T, j rows.Job, n int) (failed int) {
	t.Helper()
	all := results(t, j, "results.jsonl")
	if len(all) != n {
		t.Fatalf("%d results of %d rows", len(all), n)
	}
	seeds := map[int64]bool{}
	for i, r := range all {
		if r.Row != i || string(r.Item) == "" || (len(r.Answer) > 0) == (r.Error != nil) || r.Tries == 0 && r.Error == nil {
			t.Errorf("row %d: %+v", i, r)
		}
		if r.Error != nil {
			failed++
		}
		seeds[*r.Seed] = true
	}
	if len(seeds) != n {
		t.Errorf("%d seeds", len(seeds))
	}
	if exists(j, "results.partial.jsonl") {
		t.Error("the journal is left")
	}
	return failed
}

// Two hundred rows, and whatever befalls single ones: each has exactly one result.
func TestEachRowHasOneResult(t *testing.T) {
	const n = 200
	d := newDesk(t, 4, simrt.Model{})
	dice := rand.New(rand.NewPCG(1, 2))
	kinds := []simrt.Kind{simrt.Error, simrt.Busy, simrt.Cut, simrt.InBand, simrt.Repeat, simrt.Endless, simrt.Truncate}
	eye := &spy{Server: d.client, before: func(i int) {
		if i%3 == 0 {
			d.inject(t, simrt.Fault{Kind: kinds[dice.IntN(len(kinds))], Times: 1, After: dice.IntN(4)})
		}
	}}
	d.loan.Server = eye
	l := about("title")
	l.Options.MaxTokens = 120
	j := chunk(job(t, d, l, list(n)))
	totals, err := rows.Run(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	failed := complete(t, j, n)
	sum := 0
	for _, count := range totals.Errors {
		sum += count
	}
	if failed == 0 || failed == n || totals.Rows != n || totals.Failed != failed || sum != failed || totals.First == "" {
		t.Errorf("%d failed, totals %+v", failed, totals)
	}
	if d.most < 2 || d.most > 4 || d.lent != 0 || len(d.returned) != len(eye.requests) {
		t.Errorf("%d lent at once, %d out, %d back of %d requests", d.most, d.lent, len(d.returned), len(eye.requests))
	}
}

// Runners that die in between are borne by the rows that they hit.
func TestAChunkBearsWhatPasses(t *testing.T) {
	d := newDesk(t, 2, simrt.Model{})
	eye := &spy{Server: d.client, before: func(i int) {
		if i%10 == 5 {
			d.inject(t, simrt.Fault{Kind: simrt.RunnerDeath, Times: 1, After: 1})
		}
	}}
	d.loan.Server = eye
	j := chunk(job(t, d, about("title"), list(40)))
	j.Parallel = func() int { return 2 }
	if _, err := rows.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if failed := complete(t, j, 40); failed != 0 {
		t.Errorf("%d rows failed", failed)
	}
}

// A server that is killed in mid-chunk is no row's error.
func TestTheServerIsKilledInMidChunk(t *testing.T) {
	d := newDesk(t, 2, simrt.Model{})
	eye := &spy{Server: d.client, before: func(i int) {
		if i == 30 {
			d.sim.Kill()
		}
	}}
	d.loan.Server = eye
	j := chunk(job(t, d, about("title"), list(60)))
	totals, err := rows.Run(t.Context(), j)
	ended(t, err, candor.AttemptTransient, candor.ReasonServerGone, "does not answer")
	kept := results(t, j, "results.partial.jsonl")
	if len(kept) < 25 || len(kept) > 30 || totals.Rows != len(kept) || totals.Failed != 0 || exists(j, "results.jsonl") {
		t.Errorf("%d rows kept, totals %+v", len(kept), totals)
	}
	seen := map[int]bool{}
	for _, r := range kept {
		if seen[r.Row] || r.Error != nil {
			t.Errorf("row %d: %+v", r.Row, r.Error)
		}
		seen[r.Row] = true
	}
	if d.lent != 0 {
		t.Errorf("%d loans are out", d.lent)
	}
}

func TestRowsOfAChunkFail(t *testing.T) {
	const some = `[{"title":"a"},{"titel":"b"},7]`
	const none = `[{"titel":"a"},{"titel":"b"}]`
	for _, c := range []struct {
		name    string
		items   string
		strict  bool
		outcome candor.AttemptOutcome
		code    candor.ReasonCode
		words   string
		results bool
	}{
		{name: "some", items: some, outcome: candor.AttemptDone, results: true},
		{name: "some, in a strict step", items: some, strict: true, outcome: candor.AttemptPermanent, code: candor.ReasonRequestRefused,
			words: `row 1 of 3 failed, and its step is strict: the prompt could not be made: item has no "title": "titel" is meant?`},
		{name: "all", items: none, outcome: candor.AttemptPermanent, code: candor.ReasonRequestRefused, words: "all 2 rows failed; the first: ", results: true},
		{name: "no list", items: `{"title":"a"}`, outcome: candor.AttemptPermanent, code: candor.ReasonRequestRefused, words: "no list of rows"},
		{name: "no rows", items: `[]`, outcome: candor.AttemptPermanent, code: candor.ReasonRequestRefused, words: "without rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, 1, simrt.Model{})
			l := about("title")
			l.Strict = c.strict
			j := chunk(job(t, d, l, c.items))
			j.Parallel = func() int { return 1 }
			totals, err := rows.Run(t.Context(), j)
			if c.outcome != candor.AttemptDone {
				ended(t, err, c.outcome, c.code, c.words)
			} else if err != nil || totals.Rows != 3 || totals.Failed != 2 || totals.Errors["request.refused"] != 2 {
				t.Errorf("%v, %+v", err, totals)
			}
			if exists(j, "results.jsonl") != c.results {
				t.Errorf("results.jsonl is there: %v", !c.results)
			}
		})
	}
}

func TestParallelIsObeyed(t *testing.T) {
	d := newDesk(t, 16, simrt.Model{Rate: 500})
	var allowed atomic.Int64
	allowed.Store(3)
	j := chunk(job(t, d, about("title"), list(30)))
	j.Parallel = func() int { return int(allowed.Load()) }
	if _, err := rows.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if d.most != 3 {
		t.Errorf("%d at once, want 3", d.most)
	}
	allowed.Store(0) // a server that bears nothing still has one row
	j.Dir = t.TempDir()
	d.most = 0
	if _, err := rows.Run(t.Context(), j); err != nil || d.most != 1 {
		t.Errorf("%d at once, %v", d.most, err)
	}
	if complete(t, j, 30) != 0 {
		t.Error("rows failed")
	}
}

func TestACancelledRunEndsAtOnce(t *testing.T) {
	d := newDesk(t, 2, simrt.Model{Rate: 1, Endless: true})
	cause := errors.New("a person said so")
	ctx, cancel := context.WithCancelCause(t.Context())
	eye := &spy{Server: d.client, token: func() { cancel(cause) }}
	d.loan.Server = eye
	j := chunk(job(t, d, about("title"), list(50)))
	began := time.Now()
	_, err := rows.Run(ctx, j)
	if !errors.Is(err, cause) || time.Since(began) > time.Minute || d.lent != 0 {
		t.Errorf("%v after %s, %d loans are out", err, time.Since(began), d.lent)
	}
	for _, err := range d.returned {
		if runtime.CodeOf(err) != "" {
			t.Errorf("a loan came back with %v", err)
		}
	}
}

func TestProgress(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{Rate: 40, Endless: true})
	l := about("title")
	l.Options.MaxTokens = 40 // a second
	var heard ledger
	j := job(t, d, l, `{"title":"owls"}`)
	j.Tell = heard.tell
	_, err := rows.Run(t.Context(), j)
	ended(t, err, candor.AttemptFailed, candor.ReasonAnswerRunaway, "40 tokens")
	if kinds := heard.kinds(); kinds["tokens"] < 3 || kinds["tokens"] > 6 || kinds["row"] != 2 {
		t.Errorf("a second of tokens was told as %v", kinds)
	}

	// Waiting is told only while nothing is asked.
	d.slots <- struct{}{}
	heard.all = nil
	l.Options.MaxTokens = 2
	j = chunk(job(t, d, l, list(3)))
	held := 0
	j.Hold = func(ctx context.Context) error { held++; return ctx.Err() }
	j.Parallel = func() int { return 1 }
	j.Tell = func(p candor.Progress) {
		heard.tell(p)
		if p.Kind == "slot" {
			<-d.slots
		}
	}
	if _, err := rows.Run(t.Context(), j); err == nil {
		t.Fatal("no row failed")
	}
	last := heard.all[len(heard.all)-1]
	if heard.all[0].Kind != "slot" || heard.kinds()["slot"] != 1 || held != 3 || last.Done != 3 || last.Total != 3 || last.At.IsZero() {
		t.Errorf("held %d times, told %+v", held, heard.all)
	}
}

func TestHeatEndsWithTheRun(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{})
	ctx, cancel := context.WithCancel(t.Context())
	j := job(t, d, about(""), `"owls"`)
	j.Hold = func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return context.Cause(ctx)
	}
	if _, err := rows.Run(ctx, j); !errors.Is(err, context.Canceled) || len(d.returned) != 0 {
		t.Errorf("%v, %d loans", err, len(d.returned))
	}
}

// A panic in a row's goroutine is the caller's to judge.
func TestAPanicIsPassedOn(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{})
	j := job(t, d, about(""), `"owls"`)
	j.Hold = func(context.Context) error { panic("a bug") }
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "row 0: a bug") {
			t.Errorf("recovered %v", p)
		}
	}()
	_, _ = rows.Run(t.Context(), j)
	t.Error("no panic")
}

// One row of a chunk of one looks like any other.
func TestAChunkOfOne(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{})
	l := about("title")
	l.Schema = json.RawMessage(person)
	j := chunk(job(t, d, l, list(1)))
	if _, err := rows.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if complete(t, j, 1) != 0 || exists(j, "answer.json") {
		t.Error("it has the files of a single row, or failed")
	}
}
