//go:build linux || darwin

package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"candor"
)

// brain is a fake that hands out what a test queues and keeps what it is told.
type brain struct {
	awaited
	session   int64
	lease     int64
	queue     []queued
	registers []candor.RegisterRequest
	claims    []candor.ClaimRequest
	beats     []candor.HeartbeatRequest
	leaves    []candor.LeaveRequest
	results   map[int64][]candor.Result
	orders    candor.HeartbeatReply
	drop      []int64
	report    *candor.Report
	verdict   func(candor.Result) candor.ResultVerdict // nil: taken
	down      error                                    // every call fails with it
	claimErr  []error                                  // the next claims fail so, after they were granted
	joinErr   []error                                  // the next registrations fail so, before they arrive
}

type queued struct {
	spec candor.StepSpec
	task candor.Assignment
}

func newBrain() *brain { return &brain{results: map[int64][]candor.Result{}} }

func (b *brain) add(spec candor.StepSpec, index int, item string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lease++
	q := queued{spec: spec, task: candor.Assignment{Task: candor.TaskID(1000 + b.lease), Index: index, Attempt: 1, Lease: b.lease}}
	if item != "" {
		q.task.Item = json.RawMessage(item)
	}
	b.queue = append(b.queue, q)
	b.touch()
	return b.lease
}

func (b *brain) Register(_ context.Context, req candor.RegisterRequest) (candor.RegisterReply, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down != nil {
		return candor.RegisterReply{}, b.down
	}
	b.registers = append(b.registers, req)
	b.touch()
	if len(b.joinErr) > 0 {
		err := b.joinErr[0]
		if b.joinErr = b.joinErr[1:]; err != nil {
			return candor.RegisterReply{}, err
		}
	}
	b.session++
	return candor.RegisterReply{
		Session: b.session, Heartbeat: candor.Duration(50 * time.Millisecond), Lost: candor.Duration(time.Minute), Drop: b.drop,
	}, nil
}

func (b *brain) refuse(session int64) error {
	if b.down != nil {
		return b.down
	}
	if session != b.session {
		return candor.Errorf(candor.CodeStale, "session %d is over", session)
	}
	return nil
}

func (b *brain) Claim(ctx context.Context, _ string, req candor.ClaimRequest) (candor.ClaimReply, error) {
	deadline := time.After(req.Wait.D())
	for first := true; ; first = false {
		reply, changed, err := b.claim(req, first)
		if err != nil || len(reply.Tasks) > 0 || req.Max == 0 {
			return reply, err
		}
		select {
		case <-changed:
		case <-deadline:
			return reply, nil
		case <-ctx.Done():
			return candor.ClaimReply{}, &candor.Error{Code: candor.CodeInterrupted, Message: "given up", Cause: ctx.Err()}
		}
	}
}

func (b *brain) claim(req candor.ClaimRequest, first bool) (candor.ClaimReply, <-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refuse(req.Session); err != nil {
		return candor.ClaimReply{}, nil, err
	}
	reply := candor.ClaimReply{Report: b.report}
	if first {
		b.claims = append(b.claims, req)
		reply.Results = b.take(req.Results)
		b.touch()
	}
	for len(b.queue) > 0 && len(reply.Tasks) < req.Max {
		q := b.queue[0]
		b.queue = b.queue[1:]
		q.task.Spec = len(reply.Steps)
		reply.Steps = append(reply.Steps, q.spec)
		reply.Tasks = append(reply.Tasks, q.task)
	}
	if len(b.claimErr) > 0 {
		err := b.claimErr[0]
		b.claimErr = b.claimErr[1:]
		return candor.ClaimReply{}, nil, err
	}
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return reply, b.changed, nil
}

func (b *brain) take(results []candor.Result) []candor.ResultReply {
	var replies []candor.ResultReply
	for _, r := range results {
		b.results[r.Lease] = append(b.results[r.Lease], r)
		v := candor.ResultTaken
		if b.verdict != nil {
			v = b.verdict(r)
		}
		replies = append(replies, candor.ResultReply{Task: r.Task, Lease: r.Lease, Verdict: v})
	}
	return replies
}

func (b *brain) Heartbeat(ctx context.Context, _ string, req candor.HeartbeatRequest) (candor.HeartbeatReply, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refuse(req.Session); err != nil {
		return candor.HeartbeatReply{}, err
	}
	b.beats = append(b.beats, req)
	b.touch()
	return b.orders, ctx.Err()
}

func (b *brain) Leave(_ context.Context, _ string, req candor.LeaveRequest) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leaves = append(b.leaves, req)
	b.touch()
	return b.down
}

func (b *brain) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	b.touch()
}

// result waits for the first result of a lease.
func (b *brain) result(t *testing.T, lease int64) candor.Result {
	t.Helper()
	var r candor.Result
	b.until(t, fmt.Sprintf("the result of lease %d", lease), func() bool {
		if len(b.results[lease]) > 0 {
			r = b.results[lease][0]
		}
		return len(b.results[lease]) > 0
	})
	return r
}

// beat waits for a heartbeat that ok likes.
func (b *brain) beat(t *testing.T, what string, ok func(candor.HeartbeatRequest) bool) candor.HeartbeatRequest {
	t.Helper()
	var found candor.HeartbeatRequest
	b.until(t, "a heartbeat "+what, func() bool {
		for _, h := range b.beats {
			if ok(h) {
				found = h
				return true
			}
		}
		return false
	})
	return found
}
