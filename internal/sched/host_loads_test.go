package sched

import (
	"testing"
	"time"

	"candor"
)

// joinHost joins cold workers of one host.
func (f *farm) joinHost(catalog []string, names ...string) {
	f.t.Helper()
	for _, name := range names {
		f.joinServing(name, catalog, serving())
		f.s.workers[name].info.Host = "rig"
	}
}

func (f *farm) orderOn(worker, model string) candor.Ordered {
	f.t.Helper()
	return f.do(OrderModel{candor.OrderRequest{Kind: candor.OrderLoad, Model: model, Workers: []string{worker}, By: "ann"}}).(candor.OrderReply).Orders[0]
}

// getsLoad wants a worker to be given a load of a model.
func (f *farm) getsLoad(name, model string) candor.Assignment {
	f.t.Helper()
	r := f.asks(name, serving())
	if len(r.Tasks) != 1 || r.Steps[0].Step.Order == nil || r.Steps[0].Step.Order.Model != model {
		f.t.Fatalf("%s gets no load of %s: %+v", name, model, r.Report)
	}
	return r.Tasks[0]
}

// F02: an order that nobody can carry out holds back no other load of its host.
func TestABlockedOrderHoldsBackNoOther(t *testing.T) {
	f := newFarm(t, Config{})
	f.joinHost([]string{"a", "m"}, "w1", "w2", "w3")
	f.do(Pause{change("worker:w1")})
	f.orderOn("w1", "a")
	f.submit(llm("topics", "m", 30))
	f.pass(time.Second)
	f.getsLoad("w2", "m")
}

// Nor does one whose next try waits its time: it is no pair of hands either.
func TestAnOrderInBackoffHoldsBackNoOther(t *testing.T) {
	f := newFarm(t, Config{Placement: Placement{MaxHot: 1}})
	f.joinHost([]string{"m"}, "w1", "w2")
	order := f.orderOn("w1", "m")
	f.submit(llm("topics", "m", 2))
	f.asks("w1", serving(), ended(f.getsLoad("w1", "m"), candor.AttemptTransient, candor.ReasonServerBusy, "the server takes no more requests now"))
	f.pass(500 * time.Millisecond)
	if task := f.s.tasks.find(order.Task); task.state != queued || !task.waits() {
		t.Fatalf("the order is %s and does not wait for its next try", stateNames[task.state])
	}
	f.getsLoad("w2", "m")
}

// While a host has all the loads it may, whoever has to wait is told for which.
func TestTheLoadInTheWayIsNamed(t *testing.T) {
	f := newFarm(t, Config{})
	f.joinHost([]string{"a", "m"}, "w1", "w2")
	id := f.orderOn("w1", "a").Task.String()
	f.submit(llm("topics", "m", 30))
	f.pass(time.Second)
	f.asks("w2", serving())
	r := f.why("w2")
	f.expect(r, candor.ReasonPlaceHostBusy, "load_llm a ("+id+") is ordered for w1", "fewer than 1 load at once on host rig")
	if r.Operands["order"] != id || r.Operands["order_worker"] != "w1" || r.Next != "candor why "+id {
		t.Errorf("operands %v, next %q", r.Operands, r.Next)
	}
	f.getsLoad("w1", "a")
	f.pass(5 * time.Second)
	f.expect(f.why("w2"), candor.ReasonPlaceHostBusy, "load_llm a ("+id+") is under way on w1 for 5s of about 15s")
}

// A load that hangs is not waited for: after a while the other cards of its host
// load, and whoever has none by then is told of.
func TestALoadThatHangsHoldsBackNoOther(t *testing.T) {
	f := newFarm(t, Config{Placement: Placement{LoadGuess: 5 * time.Second}})
	f.joinHost([]string{"m"}, "w1", "w2")
	f.submit(llm("topics", "m", 30))
	f.pass(0)
	load := f.getsLoad("w1", "m")
	f.told()
	stuck := serving()
	for range 6 {
		f.pass(10 * time.Second)
		f.asks("w2", serving())
		stuck.Serving.Work = &candor.ModelWork{Kind: candor.OrderLoad, Model: "m", For: candor.Duration(f.now.Sub(epoch))}
		f.do(Heartbeat{"w1", candor.HeartbeatRequest{Session: f.at["w1"], View: stuck, Running: []candor.LeaseProgress{{Lease: load.Lease}}}})
		if n := len(f.s.orders); n != 1 {
			t.Fatalf("%d orders after %s", n, f.now.Sub(epoch))
		}
	}
	has(t, f.toldOf(candor.EventOrderOverdue), "load_llm task available for 60s but workers [w1 w2] still have no model", "is under way on w1 for 1m of about 5s")
	f.pass(10 * time.Second)
	f.getsLoad("w2", "m")
	stuck.Serving.Work.For = candor.Duration(87 * time.Second)
	f.do(Heartbeat{"w1", candor.HeartbeatRequest{Session: f.at["w1"], View: stuck, Running: []candor.LeaseProgress{{Lease: load.Lease}}}})
	f.expect(f.why("w1"), candor.ReasonRunning, "m is under way for far longer than usual (1m27s of about 5s)")
}
