//go:build linux || darwin

package worker

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"candor"
	"candor/internal/process"
)

// slowRoad holds up the first claim's answer that brings tasks.
type slowRoad struct {
	*brain
	sent    chan int64    // the lease that it brings
	arrives chan struct{} // closed: it gets through
}

func (b *slowRoad) Claim(ctx context.Context, name string, req candor.ClaimRequest) (candor.ClaimReply, error) {
	reply, err := b.brain.Claim(ctx, name, req)
	if len(reply.Tasks) > 0 {
		select {
		case b.sent <- reply.Tasks[0].Lease:
			<-b.arrives
		default:
		}
	}
	return reply, err
}

// An answer that comes after its lease was voided starts nothing.
func TestAVoidedLeaseIsNotStarted(t *testing.T) {
	b := &slowRoad{brain: newBrain(), sent: make(chan int64, 1), arrives: make(chan struct{})}
	f := start(t, b.brain, func(o *Options) { o.Brain, o.Slots = b, 1 })
	lease := b.add(spec(f.dir, run(`echo up > `+f.dir+`/up`)), -1, "")
	<-b.sent
	b.set(func() { b.orders.Void = []int64{lease} })
	b.beat(t, "that voids it", func(h candor.HeartbeatRequest) bool { return slices.Contains(h.Void, lease) })
	b.set(func() { b.orders.Void = nil })
	close(b.arrives)
	f.log.wait(t, "WARN Dropped 1 task: the claim's answer took ")
	if r := b.result(t, b.add(spec(f.dir, run("true")), -1, "")); r.Outcome != candor.AttemptDone {
		t.Errorf("what comes after it: %+v", r)
	}
	if _, err := os.Stat(filepath.Join(f.dir, "up")); err == nil {
		t.Error("it was started")
	}
	if n := len(b.registers); n != 1 {
		t.Errorf("registered %d times", n)
	}
}

// Nor does one that comes after its supervisor fenced the lease, of whatever kind
// it is: a command is looked after by its own start, rows and orders are not.
func TestAFencedLeaseIsNotBegun(t *testing.T) {
	b := newBrain()
	f := start(t, b, nil)
	dir := process.LeaseDir(f.dir, "worker-1")
	f.log.wait(t, "Joined the brain")
	if err := process.Fence(process.LeasePath(dir, 1), ""); err != nil {
		t.Fatal(err)
	}
	lease := b.add(spec(f.dir, func(*candor.Step) {}), -1, "")
	if r := b.result(t, lease); r.Outcome != candor.AttemptAborted || r.Reason.Code != candor.ReasonFenced {
		t.Errorf("result %+v", r)
	}
}

// What is held is never voided, whatever the brain asks: it answers with the
// lease itself.
func TestOnlyWhatIsNotHeldIsVoided(t *testing.T) {
	w := &worker{board: newBoard(time.Now(), nil, func() *candor.Serving { return nil })}
	w.spool, _ = openSpool(t.TempDir())
	running := &attempt{Assignment: candor.Assignment{Lease: 1}}
	running.progress.Store(&candor.Progress{})
	if seated, ok := w.board.seat(0, []*attempt{running}); !ok || len(seated) != 1 {
		t.Fatal("not seated")
	}
	if err := w.spool.put(candor.Result{Task: 2, Lease: 2, Outcome: candor.AttemptDone}); err != nil {
		t.Fatal(err)
	}
	if !w.board.renounce([]int64{1, 2, 3}) || w.board.renounce([]int64{1, 2, 3}) {
		t.Error("news are those that are new")
	}
	if req := w.heartbeat(time.Now()); !slices.Equal(req.Void, []int64{3}) || len(req.Running) != 2 {
		t.Errorf("%+v", req)
	}
	late := &attempt{Assignment: candor.Assignment{Lease: 3}}
	if seated, ok := w.board.seat(0, []*attempt{late}); !ok || len(seated) != 0 {
		t.Errorf("seated %v, %v", seated, ok)
	}
	w.board.recount()
	if _, ok := w.board.seat(0, []*attempt{late}); ok {
		t.Error("a stale ticket is good")
	}
}

// A registration whose fate is unknown may arrive later and end what it does not
// name: nothing is claimed until one was answered.
func TestNothingIsClaimedUntilARegistrationIsAnswered(t *testing.T) {
	b := newBrain()
	b.claimErr = []error{candor.Errorf(candor.CodeUnavailable, "connection reset")}
	b.joinErr = []error{nil, candor.Errorf(candor.CodeUnavailable, "connection reset")}
	f := start(t, b, nil)
	b.add(spec(f.dir, run("true")), -1, "") // granted to nobody
	b.until(t, "a third registration", func() bool { return len(b.registers) == 3 })
	b.result(t, b.add(spec(f.dir, run("true")), -1, ""))
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, c := range b.claims[1:] {
		if c.Session == 1 {
			t.Errorf("claim %d was made between the registrations", i+1)
		}
	}
}
