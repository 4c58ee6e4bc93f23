package sched

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor"
)

// worker is the living form of a worker.
type worker struct {
	info        candor.WorkerInfo
	session     int64
	state       candor.WorkerState
	view        candor.View
	draining    bool
	drain       *candor.Pause // who drains it; nil: nobody, or an earlier version did not say
	paused      *candor.Pause
	trials      trials    // tasks that failed on it since it last completed one
	badAt       time.Time // last counted failure
	goodAt      time.Time // last completion
	quarantined *candor.Pause
	probe       probes // while it is
	joined      time.Time
	seen        time.Time // last word of its reporter, by the brain's clock
	asked       time.Time // last word of its claim loop
	left        time.Time // when it was last gone
	due         time.Time // when its next one is due, if it has a free slot
	running     []*task
	idle        time.Time // since when nothing runs; zero while something does
	completed   int
	failed      int
	recent      recent  // completions
	account     account // where its time went

	doing     string
	doingAt   time.Time
	frozen    time.Time // its supervisor sees its process stopped since then
	departure departure // how it left, if it is gone
	untold    []int     // former processes, by pid, in whose place it joined before their end was told
	ill       ill       // faults of its host
	silent    bool      // named for not asking
	failing   *failing  // what its calls meet; nil: they are answered
	askedIn   int64     // the session in which it asked last

	reason     *candor.Reason // why it is idle; its Since is when that began
	report     *candor.Report
	fruitless  fruitless        // its last fruitless claim
	heard      int              // how often it has told of itself
	catalog    *candor.Catalog  // what its model server could load; nil: not known
	programs   *candor.Programs // what its PATH has; nil: not known
	hot        *candor.Reason   // its card is too hot
	load       Load             // of running, by what bounds it
	answered   time.Time        // when it last completed an llm task
	fails      map[string]*failure
	since      map[string]time.Time // since when each model is ready there
	swaps      []swap
	holds      int // models that its server holds at once, as a load has shown; 0: as it says
	thrashTold time.Time
	told       string // draining and paused as last told to it
	dirty      bool
	reserved   candor.Bytes // VRAM of what runs on it
	unseen     candor.Bytes // of it, what began after the worker last looked at its card
	house      *house       // its host
	races      races        // for what it waited for
	kept       *kept        // room on its card that is kept for a task
}

func (w *worker) record() WorkerRecord {
	return WorkerRecord{
		Info: w.info, Session: w.session, State: w.state, Draining: w.draining, Drain: w.drain,
		JoinedAt: w.joined, SeenAt: w.seen, Completed: w.completed, Failed: w.failed, Account: w.account.view(w.account.at),
	}
}

// restoreWorker brings back a worker after a restart of the brain. Its silence
// counts from now on: the brain was away, not the worker.
func (s *State) restoreWorker(r *WorkerRecord) {
	w := &worker{
		info: r.Info, session: r.Session, state: r.State, draining: r.Draining, drain: r.Drain,
		joined: r.JoinedAt, completed: r.Completed, failed: r.Failed, left: r.SeenAt,
	}
	if r.Account != nil {
		w.account.restore(r.Account)
	}
	s.addWorker(w)
}

func (s *State) addWorker(w *worker) {
	s.workers[w.info.Name] = w
	s.moveIn(w)
	i, _ := slices.BinarySearchFunc(s.roster, w.info.Name, func(o *worker, name string) int { return strings.Compare(o.info.Name, name) })
	s.roster = slices.Insert(s.roster, i, w)
	for i := range s.pauses {
		switch p := &s.pauses[i]; {
		case p.Target != w.info.Name:
		case p.Scope == "worker":
			w.paused = p
		case p.Scope == candor.ScopeQuarantine:
			w.quarantined = p
		}
	}
}

// register lets a worker in under a new session, which fences whatever spoke
// for it before.
func (s *State) register(req candor.RegisterRequest) (candor.RegisterReply, error) {
	if err := checkInfo(&req); err != nil {
		return candor.RegisterReply{}, err
	}
	w := s.workers[req.Info.Name]
	fresh := w == nil
	if !fresh {
		if err := s.namesake(w, &req.Info); err != nil {
			return candor.RegisterReply{}, err
		}
	}
	if fresh {
		w = &worker{}
		w.info = req.Info
		s.addWorker(w)
	}
	former, moved := w.info, !fresh && elsewhere(&w.info, &req.Info)
	// A new process in its place proves that the former one has ended. It knows
	// of none that was in another place.
	died := !fresh && !moved && (w.info.PID != req.Info.PID || w.info.Started != req.Info.Started)
	if moved {
		s.leftBehind(w, &req)
	}
	if died && w.state != candor.WorkerGone { // and nobody had told so before
		s.died()
	}
	if died && w.state != candor.WorkerGone && former.Supervisor != "" {
		w.untold = append(w.untold[max(0, len(w.untold)-untoldKept+1):], former.PID)
	}
	again := !fresh && !died && w.present() // a new session of the same process is no new worker
	w.info, w.view, w.state, w.catalog, w.programs = req.Info, req.View, aliveState(req.View), req.Catalog, nil
	if w.info.Tools = nil; req.Programs != nil {
		s.learn(w, req.Programs)
	}
	s.moveIn(w)
	w.session = s.meta.NextSession
	s.meta.NextSession++
	w.seen, w.told, w.unseen = s.now, "", 0
	w.asksSoon(s.now, 0)
	s.round++
	if !again {
		s.begins(w, sayJoined(w, fresh, former))
	}
	s.touchWorker(w)
	drop := s.takeHolds(w, &req, died)
	if len(w.running) == 0 {
		w.idle = s.now
	}
	s.ready++
	s.replan()
	s.noteModels(w, nil)
	return candor.RegisterReply{
		Session: w.session, Heartbeat: candor.Duration(s.cfg.Heartbeat), Lost: candor.Duration(s.cfg.Lost),
		Lease: candor.Duration(s.cfg.Lease), Drop: drop, BatchRoot: s.cfg.BatchRoot,
	}, nil
}

// begins forgets what was known of a worker's former process.
func (s *State) begins(w *worker, joined string) {
	w.joined, w.asked = s.now, s.now
	w.completed, w.failed, w.frozen, w.silent, w.failing, w.holds = 0, 0, time.Time{}, false, nil, 0
	w.departure, w.ill, w.races = departure{}, ill{}, races{since: s.now}
	w.setReason(s.now, candor.NewReason(candor.ReasonIdleClaiming, "has just joined"))
	w.openAccount(s.now)
	s.event(&candor.Event{Level: candor.LevelInfo, Code: candor.EventWorkerJoined, Worker: w.info.Name, Text: joined})
}

func checkInfo(req *candor.RegisterRequest) error {
	in := &req.Info
	switch {
	case req.Protocol != candor.Protocol:
		return &candor.Error{
			Code: candor.CodeUnsupported, Message: fmt.Sprintf("worker speaks protocol %d, this brain %d", req.Protocol, candor.Protocol),
			Hint: "use the same candor version for brain and workers",
		}
	case !validName(in.Name):
		return candor.Errorf(candor.CodeInvalid, "%q is not a worker name: letters, digits, dots, dashes, at most 64", in.Name)
	case in.Slots < 1:
		return candor.Errorf(candor.CodeInvalid, "worker %s has %d slots; it needs at least 1", in.Name, in.Slots)
	case len(in.Classes) == 0:
		return candor.Errorf(candor.CodeInvalid, "worker %s takes no class", in.Name)
	}
	for _, c := range in.Classes {
		if !c.Valid() {
			return candor.Errorf(candor.CodeInvalid, "worker %s: %q is not a class", in.Name, c)
		}
	}
	if err := candor.CheckWorkerName(in.Name); err != nil {
		return err
	}
	if p := req.Programs; p != nil {
		if err := p.Check(in.Name); err != nil {
			return err
		}
	}
	return in.CheckTexts()
}

func validName(name string) bool {
	if name == "" || len(name) > 64 || name[0] == '-' || name[0] == '.' {
		return false
	}
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return true
}

func aliveState(v candor.View) candor.WorkerState {
	if v.State == "" {
		return candor.WorkerReady
	}
	return v.State
}

// takeHolds settles which leases survive a registration. What the worker still
// runs goes on; what it does not name has no process any more, by its word.
func (s *State) takeHolds(w *worker, req *candor.RegisterRequest, died bool) (drop []int64) {
	for _, t := range slices.Clone(w.running) {
		if slices.Contains(req.Holds, t.run.lease) {
			t.run.missed = 0
			t.run.abortSent = false
			continue
		}
		why := candor.NewReason(candor.ReasonWorkerDied, fmt.Sprintf("%s started anew without it", w.info.Name))
		if !req.Verified {
			s.runsTwice(t, w, leftover(req.Leftover))
		}
		s.lose(t, why, died)
	}
	for _, lease := range req.Holds {
		if t := s.leases[lease]; t == nil || t.run.worker != w.info.Name {
			drop = append(drop, lease)
		}
	}
	return drop
}

// alive finds the worker that speaks, if its session is the current one.
func (s *State) alive(name string, session int64) (*worker, error) {
	w := s.workers[name]
	if w == nil {
		return nil, &candor.Error{Code: candor.CodeStale, Message: fmt.Sprintf("no worker %q is registered", name), Hint: "register first"}
	}
	if w.session != session {
		return nil, &candor.Error{
			Code:    candor.CodeStale,
			Message: fmt.Sprintf("session %d of worker %s is over: session %d speaks for it", session, name, w.session),
			Hint:    "register again; two processes must not use one worker name",
		}
	}
	return w, nil
}

// hear notes a sign of life and brings a lost worker back.
func (s *State) hear(w *worker, v candor.View) {
	silent := s.now.Sub(w.seen)
	w.seen = s.now
	w.heard++
	s.speaks(w)
	if v.State != "" || v.GPU != nil {
		was := w.view
		w.view, w.unseen = v, 0
		if !sameServing(was.Serving, v.Serving) || roomier(was.GPU, v.GPU) {
			s.retries(w) // what it refused a moment ago it may take now
			s.round++
			s.replan()
			s.noteModels(w, was.Serving)
			w.seeHolds()
		}
		s.feel(w)
	}
	was := w.state
	w.state = aliveState(w.view)
	if was != w.state {
		s.round++
		s.touchWorker(w)
	}
	if was == candor.WorkerLost || was == candor.WorkerGone {
		s.ready++
		s.event(&candor.Event{
			Level: candor.LevelInfo, Code: candor.EventWorkerBack, Worker: w.info.Name,
			Text: fmt.Sprintf("Worker %s is back after %s of silence", w.info.Name, candor.ShortDuration(silent)),
		})
	}
}

// setReason notes why a worker is idle. A reason that goes on keeps its
// beginning; one that knows its own has it.
func (w *worker) setReason(now time.Time, r *candor.Reason) {
	switch {
	case r == nil || !r.Since.IsZero():
	case w.reason != nil && w.reason.Code == r.Code:
		r.Since = w.reason.Since
	default:
		r.Since = now
	}
	w.reason = r
}

func sayJoined(w *worker, fresh bool, former candor.WorkerInfo) string {
	in := &w.info
	text := fmt.Sprintf("Worker %s joined from %s (pid %d): %s, classes %s", in.Name, in.Host, in.PID, count(in.Slots, "slot"), join(in.Classes))
	if in.GPU != nil {
		text += fmt.Sprintf(", GPU %d %s with %s", in.GPU.Index, in.GPU.Name, in.GPU.Total)
	}
	switch {
	case fresh:
	case elsewhere(&former, in):
		text += fmt.Sprintf(" (before: %s)", whereabouts(&former, in))
	case former.PID != in.PID:
		text += fmt.Sprintf(" (before: pid %d)", former.PID)
	}
	return text
}
