package sched

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"candor"
)

// TestHistoryLeavesNothing is the law that work per tick does not depend on
// history: after any life, once all has ended and those who did it are forgotten,
// the state holds no more than one that has just begun, and a tick does as much.
// Then both get the same work, and it is so again.
func TestHistoryLeavesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(5, longest/3).Draw(t, "length") {
			w.act()
			w.commit()
		}
		w.mend()
		w.now = w.s.now // a clock that was set back has caught up
		for _, k := range w.workers {
			w.leave(k, "")
			w.commit()
		}
		for range 4 {
			w.now = w.now.Add(w.cfg.Linger + w.cfg.Forget)
			w.do(Tick{}, nil)
			w.commit()
		}
		fresh := New(w.cfg, w.disk.load())
		fresh.slice = w.slice
		w.sameWeight("with nothing to do", fresh)

		sub := drawPlan(t, 1)
		info := candor.WorkerInfo{Name: "w9", Host: "host-1", PID: 1, Classes: candor.Classes(), Slots: 2}
		for _, s := range []*State{w.s, fresh} {
			for _, cmd := range []Command{Submit{Sub: sub}, Register{candor.RegisterRequest{Protocol: candor.Protocol, Info: info}}} {
				if _, err := s.Apply(w.now, cmd); err != nil {
					t.Fatal(err)
				}
			}
			s.Take()
		}
		w.sameWeight("with the same to do", fresh)
	})
}

// remembered is what may be left of history, and the most of it there is: no tick
// goes through it.
var remembered = map[string]int{
	"*sched.State.passings.ring": passingsKept, // who was handed out lately, for those that were overtaken
}

// sameWeight compares a state that has lived with one that has just begun.
func (w *world) sameWeight(when string, fresh *State) {
	w.t.Helper()
	for range 3 { // what a first look makes is there
		w.now = w.now.Add(time.Second)
		for _, s := range []*State{w.s, fresh} {
			if _, err := s.Apply(w.now, Tick{}); err != nil {
				w.t.Fatal(err)
			}
			s.Take()
		}
	}
	lived, begun := weigh(w.s), weigh(fresh)
	for _, part := range slices.Sorted(maps.Keys(lived)) {
		if most, bounded := remembered[part]; bounded && lived[part] <= most {
			continue
		}
		if lived[part] > begun[part] {
			w.t.Errorf("%s, %d of %s are left, and %d in a state that has just begun", when, lived[part], part, begun[part])
		}
	}
	if a, b := allocations(w.s, w.now), allocations(fresh, w.now); a > b {
		w.t.Errorf("%s, a tick makes %v allocations, and %v in a state that has just begun", when, a, b)
	}
}

// allocations is how many a tick makes at the least: what the library keeps for
// reuse (fmt's buffers) is thrown away by a garbage collection, and by the race
// detector at random, and is then made anew by whoever comes next.
func allocations(s *State, now time.Time) float64 {
	least := math.Inf(1)
	for range 10 {
		least = min(least, testing.AllocsPerRun(5, func() { _, _ = s.Apply(now, Tick{}) })) //nolint:errcheck // a tick has none
	}
	return least
}

// weigh counts what a state holds: the elements of everything that it reaches,
// by where they are.
func weigh(s *State) map[string]int {
	out := map[string]int{}
	type place struct {
		at  uintptr
		typ reflect.Type
	}
	seen := map[place]bool{}
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		switch v.Kind() {
		case reflect.Pointer:
			if p := (place{v.Pointer(), v.Type()}); !v.IsNil() && !seen[p] {
				seen[p] = true
				walk(v.Elem(), path)
			}
		case reflect.Interface:
			if !v.IsNil() {
				walk(v.Elem(), path)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i), path+"."+v.Type().Field(i).Name)
			}
		case reflect.Slice:
			out[path] += v.Len()
			for i := range v.Len() {
				walk(v.Index(i), path+"[]")
			}
		case reflect.Map:
			out[path] += v.Len()
			for it := v.MapRange(); it.Next(); {
				walk(it.Value(), path+"[]")
			}
		}
	}
	walk(reflect.ValueOf(s), fmt.Sprintf("%T", s))
	return out
}
