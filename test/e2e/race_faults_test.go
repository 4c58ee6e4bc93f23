//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"candor"
)

// TestF10RacesLost: twenty workers wait, and one task comes after the other. Each
// goes to one of them, and the ledgers of the others say to whom, and by how much
// it had asked earlier; what each got, and what an even share would be.
func TestF10RacesLost(t *testing.T) {
	t.Parallel()
	const workers, tasks = 20, 8
	f := newFarm(t, settings{"heartbeat.interval": "1s"})
	f.up(workers)
	asked := map[string]candor.Worker{}
	for i := range workers {
		name := fmt.Sprint("worker-", i+1)
		f.until(name+" has asked", func() bool { return f.worker(name).AskedAt.After(f.worker(name).JoinedAt) })
		asked[name] = f.worker(name)
	}
	won := map[string]int{}
	for i := range tasks {
		id := f.submit(fmt.Sprint("few-", i), `
			a: {run: "true"}
		`)
		f.ends(id)
		won[f.task(id, "a").Worker]++
	}
	var loser candor.Worker
	for name, before := range asked {
		w := f.worker(name)
		r := w.Races
		if r == nil || r.Won != won[name] || r.AtLeast || r.Others != 0 || r.Since.Before(before.JoinedAt) {
			t.Errorf("%s got %d tasks: %+v", name, won[name], r)
			continue
		}
		if w.EvenShare != 1.0/workers || int(w.Share*tasks+0.5) != won[name] {
			t.Errorf("%s did %d of %d: a share of %v, an even one is %v", name, won[name], tasks, w.Share, w.EvenShare)
		}
		sum := 0
		for _, o := range r.To {
			sum += o.Lost
			if o.Worker == name || o.Lost < 1 || o.Lost > won[o.Worker] || o.At.Before(r.Since) {
				t.Errorf("%s lost %d to %s, which got %d, the last one at %s", name, o.Lost, o.Worker, won[o.Worker], o.At)
			}
		}
		if sum != r.Lost || r.Lost > tasks-won[name] {
			t.Errorf("%s got %d of %d and lost %d, %d of them to somebody", name, won[name], tasks, r.Lost, sum)
		}
		if r.Won == 0 && r.Lost > loserLost(loser) {
			loser = w
		}
	}
	// Who did not win waited for all of them, but for the instant between a claim
	// and the next one.
	if loserLost(loser) < tasks-1 {
		t.Fatalf("of %d tasks nobody lost more than %d", tasks, loserLost(loser))
	}
	f.toldOfRaces(loser)
}

func loserLost(w candor.Worker) int {
	if w.Races == nil {
		return 0
	}
	return w.Races.Lost
}

// toldOfRaces wants why and show of a worker to tell what it lost to whom.
func (f *farm) toldOfRaces(w candor.Worker) {
	f.t.Helper()
	top := w.Races.To[0]
	x := f.saysWhy(w.Name, candor.ReasonIdleNoWork, candor.MoverWait, "nothing is queued; while it waited, since "+candor.FormatTime(w.Races.Since),
		fmt.Sprintf("%d tasks went to others and 0 to it: ", w.Races.Lost), fmt.Sprintf("%d to %s, which %s", top.Lost, top.Worker, candor.SayMargin(top.Median)))
	if n, _ := x.Reason.Operands["races_lost"].(float64); int(n) != w.Races.Lost {
		f.t.Errorf("operands: %v", x.Reason.Operands)
	}
	for _, args := range [][]string{{"why", w.Name}, {"show", w.Name}} {
		page := f.candor(args...).ok().out
		for _, want := range []string{"went to others, and 0 to it", "WINNER", top.Worker, candor.SayMargin(top.Last), "0% of what the farm has completed lately", "its slots are 5% of all"} {
			if !strings.Contains(page, want) {
				f.t.Errorf("candor %v does not say %q:\n%s", args, want, page)
			}
		}
	}
}
