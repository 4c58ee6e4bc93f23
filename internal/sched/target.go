package sched

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"candor"
)

// target is one thing a change was asked for.
type target struct {
	text   string
	all    bool
	class  candor.Class
	worker *worker
	batch  *batch
	task   *task
}

// targets resolves all names of a request, or refuses it as a whole.
func (s *State) targets(names []string) ([]target, error) {
	if len(names) == 0 {
		return nil, &candor.Error{Code: candor.CodeInvalid, Message: "nothing was named", Hint: "name a batch, a task, class:llm, worker:NAME or all"}
	}
	out := make([]target, 0, len(names))
	for _, name := range names {
		t, err := s.target(name)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// workTargets resolves names that must all be those of batches and tasks, or
// all if that may be said.
func (s *State) workTargets(names []string, all bool, verb string) ([]target, error) {
	ts, err := s.targets(names)
	if err != nil {
		return nil, err
	}
	for _, t := range ts {
		if t.batch == nil && t.task == nil && !(t.all && all) {
			return nil, candor.Errorf(candor.CodeInvalid, "%s cannot be %s: name batches or tasks", t.text, verb)
		}
	}
	return ts, nil
}

func (s *State) target(name string) (target, error) {
	if name == "all" {
		return target{text: name, all: true}, nil
	}
	if c, ok := strings.CutPrefix(name, "class:"); ok {
		if !candor.Class(c).Valid() {
			return target{}, candor.Errorf(candor.CodeInvalid, "%q is not a class: %s", c, join(candor.Classes()))
		}
		return target{text: name, class: candor.Class(c)}, nil
	}
	if n, ok := strings.CutPrefix(name, "worker:"); ok {
		switch all := s.workersLike(n); len(all) {
		case 0:
			return target{}, s.noWorker(n)
		case 1:
			return target{text: name, worker: s.workers[all[0]]}, nil
		default:
			return target{}, ambiguous(n, Refs{Workers: all})
		}
	}
	return s.idTarget(name)
}

func (s *State) noWorker(name string) error {
	e := &candor.Error{Code: candor.CodeNotFound, Message: fmt.Sprintf("no worker is called %q", name), Hint: "candor worker ls shows them"}
	if len(s.roster) == 0 {
		e.Hint = "none has joined; start one with candor worker, or all with candor up"
	}
	return e
}

// idTarget finds a batch, a task or a worker by id, prefix or name.
func (s *State) idTarget(name string) (target, error) {
	refs := s.resolve(name)
	n := len(refs.Batches) + len(refs.Tasks) + len(refs.Workers)
	switch {
	case n == 0:
		return target{}, &candor.Error{
			Code: candor.CodeNotFound, Message: fmt.Sprintf("nothing is called %q", name),
			Hint: "candor ls shows batches, candor worker ls workers, candor model ls models; an id may be cut short while it is unique",
		}
	case n > 1:
		return target{}, ambiguous(name, refs)
	case len(refs.Workers) == 1:
		return target{text: name, worker: s.workers[refs.Workers[0]]}, nil
	case len(refs.Batches) == 1:
		return target{text: name, batch: s.batches[refs.Batches[0]]}, nil
	default:
		return target{text: name, task: s.tasks.find(refs.Tasks[0])}, nil
	}
}

func ambiguous(name string, refs Refs) error {
	var names []string
	for _, b := range refs.Batches {
		names = append(names, b.String())
	}
	for _, t := range refs.Tasks {
		names = append(names, t.String())
	}
	names = append(names, refs.Workers...)
	if len(names) > 5 {
		names = append(names[:5], "…")
	}
	return &candor.Error{
		Code: candor.CodeAmbiguous, Message: fmt.Sprintf("%q names several: %s", name, strings.Join(names, ", ")), Hint: "write more of the id",
	}
}

// resolveLimit bounds how many candidates a prefix is answered with.
const resolveLimit = 6

// workersLike are the workers of that name, or else those whose names begin so.
func (s *State) workersLike(prefix string) []string {
	if s.workers[prefix] != nil {
		return []string{prefix}
	}
	var names []string
	for _, w := range s.roster {
		if prefix != "" && len(names) < resolveLimit && strings.HasPrefix(w.info.Name, prefix) {
			names = append(names, w.info.Name)
		}
	}
	return names
}

// resolve finds what a name or prefix means among the living. A worker's whole
// name goes before any prefix.
func (s *State) resolve(prefix string) Refs {
	refs := Refs{Workers: s.workersLike(prefix)}
	if s.workers[prefix] != nil {
		return refs
	}
	if id, err := candor.ParseTaskID(prefix); err == nil {
		if s.tasks.find(id) != nil {
			refs.Tasks = []candor.TaskID{id}
		}
		return refs
	}
	p, ok := candor.ParseIDPrefix(prefix)
	if !ok {
		return refs
	}
	for _, b := range s.order {
		if len(refs.Batches) < resolveLimit && p.MatchBatch(b.rec.ID) {
			refs.Batches = append(refs.Batches, b.rec.ID)
		}
	}
	for _, e := range s.tasks {
		for i := range e.step.tasks {
			if id := e.first + candor.TaskID(i); p.MatchTask(id) && len(refs.Tasks) < resolveLimit {
				refs.Tasks = append(refs.Tasks, id)
			}
		}
	}
	return refs
}

// workerViews lists all workers by name.
func (s *State) workerViews() []candor.Worker {
	out := make([]candor.Worker, 0, len(s.roster))
	slots := s.slotsThere()
	for _, w := range s.roster {
		out = append(out, s.workerView(w, slots))
	}
	return out
}

// workerView is a worker among so many slots.
func (s *State) workerView(w *worker, slots int) candor.Worker {
	v := candor.Worker{
		WorkerInfo: w.info, Session: w.session, State: w.state, Model: w.view.Model, Draining: w.draining, Drained: w.drain, Paused: cmp.Or(w.paused, w.quarantined),
		Doing: w.doing, DoingAt: w.doingAt, JoinedAt: w.joined, SeenAt: w.seen, AskedAt: w.asked, IdleSince: w.idle,
		Completed: w.completed, Failed: w.failed, LastClaim: w.report,
		Card: w.view.GPU, Serving: w.view.Serving, Account: w.account.view(s.until(w)), Share: s.share(w), EvenShare: w.evenShare(slots), Races: s.racesOf(w),
	}
	if w.view.GPU != nil {
		v.GPU = w.view.GPU
	}
	if w.programs != nil {
		v.Programs = len(w.programs.Names)
	}
	for _, t := range w.running {
		p := t.run.progress
		v.Running = append(v.Running, candor.Running{
			Task: t.id, Name: t.name(), Attempt: int(t.attempt), Lease: t.run.lease, Since: t.run.started, Progress: &p, Stuck: t.run.stuck,
		})
	}
	slices.SortFunc(v.Running, func(a, b candor.Running) int { return int(a.Lease - b.Lease) })
	r := s.workerReason(w)
	v.Reason = &r
	return v
}

// decorateAll adds what only the living know to tasks as the store has them.
func (s *State) decorateAll(tasks []candor.Task) []candor.Task {
	waits := waitings{s: s, of: map[waiting]*candor.Reason{}}
	for i := range tasks {
		t := s.tasks.find(tasks[i].ID)
		if t == nil || tasks[i].State != stateNames[t.state] {
			continue
		}
		t.decorate(&tasks[i])
		if tasks[i].Reason == nil && (t.state == queued || t.state == blocked) {
			tasks[i].Reason = waits.reason(t)
		}
	}
	return tasks
}

// waitings are the reasons why listed tasks wait. Each of the first is asked;
// of the others one of each step and lane answers for the rest, so that a long
// list does not hold up the loop.
type waitings struct {
	s     *State
	asked int
	of    map[waiting]*candor.Reason
}

type waiting struct {
	step *step
	lane *lane
}

const waitingsAsked = 100

func (w *waitings) reason(t *task) *candor.Reason {
	key := waiting{t.step, t.lane}
	if r := w.of[key]; r != nil && w.asked >= waitingsAsked {
		return r
	}
	w.asked++
	var out candor.Explanation
	w.s.whyTask(&out, t)
	r := out.Reason
	if w.of[key] == nil {
		w.of[key] = &r
	}
	return &r
}
