package wire

import (
	"net/url"
	"strconv"

	"candor"
)

func batchParams() []Param {
	return []Param{
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
