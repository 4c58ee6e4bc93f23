package sched

import (
	"time"

	"candor"
)

// Apply makes one command happen at one instant and returns its reply. A
// command that is refused changes nothing. Instants must not go back; one that
// does counts as the latest seen, so that a stepped clock cannot reverse time.
func (s *State) Apply(now time.Time, cmd Command) (any, error) {
	if s.now.IsZero() {
		s.begin(now)
	}
	if now.After(s.now) {
		s.now = now
	}
	reply, err := s.apply(cmd)
	s.keepAccountsAfter(cmd)
	return reply, err
}

// keepAccountsAfter settles the accounts of those whose time may go to something
// else after a command. A tick does it itself.
func (s *State) keepAccountsAfter(cmd Command) {
	switch c := cmd.(type) {
	case Claim:
		s.keepAccountOf(c.Worker)
	case Heartbeat:
		s.keepAccountOf(c.Worker)
	case Register:
		s.keepAccountOf(c.Req.Info.Name)
	case Leave:
		s.keepAccountOf(c.Worker)
	case HostSeen, Pause, Resume, Drain, Undrain, Cancel, Retry, Configure:
		s.keepAccounts()
	}
}

func (s *State) keepAccountOf(name string) {
	if w := s.workers[name]; w != nil {
		s.keepAccount(w)
	}
}

func (s *State) apply(cmd Command) (any, error) {
	switch c := cmd.(type) {
	case Submit:
		return s.submit(c)
	case PreviewPlan:
		return s.preview(c)
	case Register:
		return s.register(c.Req)
	case Claim:
		return s.claim(&c)
	case Heartbeat:
		return s.heartbeat(c.Worker, &c.Req)
	case Leave:
		return nil, s.leave(c.Worker, c.Req)
	case HostSeen:
		return s.hostSeen(c.Report)
	case Admit:
		s.admit(&c.Batch)
		return nil, nil
	case Configure:
		root := s.cfg.BatchRoot
		s.cfg = c.Config.withDefaults()
		s.cfg.BatchRoot = root
		return nil, nil
	case Tick:
		s.tick()
		return nil, nil
	case Away:
		s.away(c.For)
		return nil, nil
	case StoreSlow:
		s.storeSlow(c)
		return nil, nil
	default:
		return s.applyChange(cmd)
	}
}

// applyChange handles what people ask for.
func (s *State) applyChange(cmd Command) (any, error) {
	switch c := cmd.(type) {
	case Cancel:
		return s.cancel(c.Req)
	case Retry:
		return s.retry(c.Req)
	case Pause:
		return s.pause(c.Req)
	case Resume:
		return s.resume(c.Req)
	case Drain:
		return s.drain(c.Req, true)
	case Undrain:
		return s.drain(c.Req, false)
	case OrderModel:
		return s.orderModel(c.Req)
	case Models:
		return s.modelViews(), nil
	case Why:
		return s.why(c.Target)
	case Workers:
		return s.workerViews(), nil
	case Status:
		return s.status(), nil
	case Decorate:
		return s.decorateAll(c.Tasks), nil
	case Resolve:
		return s.resolve(c.Prefix), nil
	default:
		return nil, candor.Errorf(candor.CodeInternal, "unknown command %T", cmd)
	}
}
