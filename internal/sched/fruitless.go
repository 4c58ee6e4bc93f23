package sched

// fruitless is what a worker's last fruitless claim has seen, so that a held
// claim that is tried again need ask about nothing but what came since: with
// thousands of shapes and workers, each new task would cost as much as all.
type fruitless struct {
	ready int64 // State.ready then
	wide  int64
	heard int
}

// retries has the held claims of one worker tried again.
func (s *State) retries(w *worker) {
	s.ready++
	s.narrow++
	w.heard++
}

// wide counts what made the held claims of any worker worth another try, but for
// tasks that came into the queue.
func (s *State) wide() int64 { return s.ready - s.narrow }

// sawAll notes a fruitless claim that has looked at everything.
func (s *State) sawAll(w *worker) {
	w.fruitless = fruitless{ready: s.ready, wide: s.wide(), heard: w.heard}
}

// stillFruitless tells whether a held claim would find again what it has found:
// nothing else has changed, and what came since is not for its worker.
func (s *State) stillFruitless(w *worker, have *Have) bool {
	last := &w.fruitless
	if w.report == nil || last.heard != w.heard || last.wide != s.wide() {
		return false
	}
	for _, sh := range s.shapeList {
		if sh.fresh <= last.ready {
			continue
		}
		if code, _ := Eligible(&sh.want, have, nil); code == "" {
			return false // or somebody else was first: that is told
		}
	}
	return true
}
