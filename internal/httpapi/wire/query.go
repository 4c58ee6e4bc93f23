package wire

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"candor"
)

func batchParams() []Param {
	return []Param{
		{"kind", "string", "order: the orders about models, not what people submitted"},
		{"state", "string", "only batches in this state"},
		{"before", "string", "page: batches older than this id"},
		{"limit", "integer", "at most so many; default 100"},
	}
}

func taskParams() []Param {
	return []Param{
		{"step", "string", "only this step"},
		{"state", "string", "only tasks in this state"},
		{"class", "string", "only this class"},
		{"worker", "string", "only tasks of this worker"},
		{"after", "string", "page: tasks after this id"},
		{"limit", "integer", "at most so many; default 100"},
	}
}

func eventParams() []Param {
	return []Param{
		{"after", "integer", "events with a larger seq; -1 in a stream: only what comes"},
		{"last", "integer", "the newest so many of those that match"},
		{"batch", "string", "only this batch"},
		{"task", "string", "only this task"},
		{"worker", "string", "only this worker"},
		{"level", "string", "this level and above"},
		{"limit", "integer", "at most so many; default 1000"},
	}
}

// waitParam is of routes that read something that ends.
func waitParam() Param {
	return Param{"wait", "string", "hold the answer until it has ended, at most so long, as 30s; a minute at most"}
}

func logParams() []Param {
	return []Param{
		{"attempt", "integer", "which attempt; default the last"},
		{"offset", "integer", "first byte; negative counts from the end"},
		{"follow", "boolean", "go on while the attempt runs"},
	}
}

// values builds a query and leaves zero values out.
type values struct{ url.Values }

func (v values) text(name, s string) {
	if s != "" {
		v.Set(name, s)
	}
}

func (v values) number(name string, n int64) {
	if n != 0 {
		v.Set(name, strconv.FormatInt(n, 10))
	}
}

// BatchValues writes a query as URL values.
func BatchValues(q candor.BatchQuery) url.Values {
	v := values{url.Values{}}
	v.text("kind", q.Kind)
	v.text("state", string(q.State))
	if q.Before != 0 {
		v.text("before", q.Before.String())
	}
	v.number("limit", int64(q.Limit))
	return v.Values
}

// TaskValues writes a query as URL values, without the batch, which stands in
// the path.
func TaskValues(q candor.TaskQuery) url.Values {
	v := values{url.Values{}}
	v.text("step", q.Step)
	v.text("state", string(q.State))
	v.text("class", string(q.Class))
	v.text("worker", q.Worker)
	if q.After != 0 {
		v.text("after", q.After.String())
	}
	v.number("limit", int64(q.Limit))
	return v.Values
}

// EventValues writes a query as URL values.
func EventValues(q candor.EventQuery) url.Values {
	v := values{url.Values{}}
	v.number("after", q.After)
	v.number("last", int64(q.Last))
	if q.Batch != 0 {
		v.text("batch", q.Batch.String())
	}
	if q.Task != 0 {
		v.text("task", q.Task.String())
	}
	v.text("worker", q.Worker)
	v.text("level", string(q.Level))
	v.number("limit", int64(q.Limit))
	return v.Values
}

// LogValues writes a query as URL values.
func LogValues(q candor.LogQuery) url.Values {
	v := values{url.Values{}}
	v.number("attempt", int64(q.Attempt))
	v.number("offset", q.Offset)
	if q.Follow {
		v.text("follow", "true")
	}
	return v.Values
}

// WaitValues writes a wait; 0 is none.
func WaitValues(wait time.Duration) url.Values {
	v := values{url.Values{}}
	if wait > 0 {
		v.text("wait", min(wait, MaxWait).String())
	}
	return v.Values
}

// MaxWait bounds how long a question is held.
const MaxWait = time.Minute

// MaxPage is the largest limit a query may ask for.
const MaxPage = 10_000

// Reading is a query being read from a URL. The first mistake is kept and
// returned by Err, so that readers need no error handling of their own.
type Reading struct {
	v     url.Values
	known []Param
	err   error
}

// Read begins to read the query of a route; a parameter the route does not
// have is a mistake, since a misspelt filter would silently show too much.
func Read(v url.Values, route Route) *Reading {
	r := &Reading{v: v, known: route.Query}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if !slices.ContainsFunc(route.Query, func(p Param) bool { return p.Name == name }) {
			r.fail(name, "is no parameter of "+route.Path)
		}
	}
	return r
}

// Err is the first mistake.
func (r *Reading) Err() error { return r.err }

func (r *Reading) fail(name, what string) {
	if r.err != nil {
		return
	}
	names := make([]string, len(r.known))
	for i, p := range r.known {
		names[i] = p.Name
	}
	e := candor.Errorf(candor.CodeInvalid, "query parameter %q %s", name, what)
	if len(names) > 0 {
		e.Hint = "parameters: " + strings.Join(names, ", ")
	}
	r.err = e
}

func (r *Reading) number(name string, least, most int64) int64 {
	s := r.v.Get(name)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least || n > most {
		r.fail(name, fmt.Sprintf("is %q, not a number from %d to %d", s, least, most))
	}
	return n
}

// word reads a value from a closed list; empty is none.
func word[T ~string](r *Reading, name string, known []T) T {
	s := T(r.v.Get(name))
	if s != "" && !slices.Contains(known, s) {
		r.fail(name, fmt.Sprintf("is %q, not one of %q", s, known))
	}
	return s
}

func id[T any](r *Reading, name string, parse func(string) (T, error)) T {
	var none T
	s := r.v.Get(name)
	if s == "" {
		return none
	}
	v, err := parse(s)
	if err != nil {
		r.fail(name, fmt.Sprintf("is %q, not a whole id", s))
		return none
	}
	return v
}

func (r *Reading) limit() int { return int(r.number("limit", 0, MaxPage)) }

// Batches reads what BatchValues wrote.
func (r *Reading) Batches() candor.BatchQuery {
	return candor.BatchQuery{
		Kind:   word(r, "kind", []string{candor.BatchOrder}),
		State:  word(r, "state", []candor.BatchState{candor.BatchActive, candor.BatchComplete}),
		Before: id(r, "before", candor.ParseBatchID),
		Limit:  r.limit(),
	}
}

// Tasks reads what TaskValues wrote.
func (r *Reading) Tasks() candor.TaskQuery {
	return candor.TaskQuery{
		Step:   r.v.Get("step"),
		State:  word(r, "state", candor.TaskStates()),
		Class:  word(r, "class", candor.Classes()),
		Worker: r.v.Get("worker"),
		After:  id(r, "after", candor.ParseTaskID),
		Limit:  r.limit(),
	}
}

// Levels lists the levels, the quietest first.
func Levels() []candor.Level {
	return []candor.Level{candor.LevelDebug, candor.LevelInfo, candor.LevelWarn, candor.LevelError}
}

// Events reads what EventValues wrote.
func (r *Reading) Events() candor.EventQuery {
	return candor.EventQuery{
		After:  r.number("after", candor.FromNow, math.MaxInt64),
		Last:   int(r.number("last", 0, MaxPage)),
		Batch:  id(r, "batch", candor.ParseBatchID),
		Task:   id(r, "task", candor.ParseTaskID),
		Worker: r.v.Get("worker"),
		Level:  word(r, "level", Levels()),
		Limit:  r.limit(),
	}
}

// Wait reads what WaitValues wrote.
func (r *Reading) Wait() time.Duration {
	s := r.v.Get("wait")
	if s == "" {
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > MaxWait {
		r.fail("wait", fmt.Sprintf("is %q, not a duration up to %s, as 30s", s, MaxWait))
	}
	return d
}

// Log reads what LogValues wrote.
func (r *Reading) Log() candor.LogQuery {
	return candor.LogQuery{
		Attempt: int(r.number("attempt", 0, math.MaxInt32)),
		Offset:  r.number("offset", math.MinInt64, math.MaxInt64),
		Follow:  word(r, "follow", []string{"true", "false"}) == "true",
	}
}
