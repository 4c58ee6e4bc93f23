package process

import (
	"maps"
	"os"
	"time"
)

// supervise sees the process through to its end: main process ended,
// stragglers gone, output complete, main process reaped.
func (p *Process) supervise() {
	awaitMain(p.cmd)
	ended := p.clk.Now()
	p.mu.Lock()
	p.ended = true
	ours := p.ours
	p.mu.Unlock()

	exit := Exit{Ended: ended, Ran: ended.Sub(p.started)}
	if left := p.awaitStragglers(ended); len(left) > 0 {
		exit.Stragglers = procs(left)
		_, exit.Survivors = p.killAll()
	}
	exit.PipeHeld = p.closeOutput()
	after := readOOM(p.leaf)
	p.reap(&exit)
	exit.Cause, exit.Evidence = blame(exit.Code, exit.Signal, ours, p.oom, after)
	if p.leaf != nil {
		_ = p.leaf.remove() // fails while a survivor is in it, which Survivors says
	}
	p.log.close()
	exit.Output = p.log.output()
	p.exit = exit
	close(p.done)
}

// members is everything that belongs to the process now, zombies included,
// with the table that it was picked from.
func (p *Process) members() (all, table []entry, err error) {
	table, err = listProcs()
	if err != nil {
		return nil, nil, err
	}
	inLeaf := map[int]bool{}
	if p.leaf != nil {
		inLeaf = p.leaf.pids()
	}
	p.mu.Lock()
	group := !p.reaped
	seen := maps.Clone(p.seen)
	p.mu.Unlock()
	id := identity{
		pid: p.main.PID, start: p.main.Start, group: group, self: os.Getpid(),
		special: func(e entry) bool { return inLeaf[e.PID] || seen.holds(e) || carries(e.PID, p.spec.Mark) },
	}
	all = id.members(table)
	p.remember(all)
	return all, table, nil
}

// remember keeps who belonged by itself: an environment is gone before its
// process is.
func (p *Process) remember(all []entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range all {
		if e.kin {
			p.seen[e.PID] = e.Start
		}
	}
}

// awaitStragglers waits until nothing but the ended main process is left and
// the output is complete, at most until patience ends; it returns who is left.
func (p *Process) awaitStragglers(ended time.Time) []entry {
	pause := time.Millisecond
	for {
		all, table, _ := p.members() // an unreadable table has no members; the pipe still tells
		left := alive(all)
		over := !p.clk.Now().Before(p.patience(ended))
		if len(left) == 0 {
			if p.outputComplete() {
				p.reapOrphans(table)
				return nil
			}
			if over {
				left = pipeHolders(pipeInode(p.pipe), table, p.main.Start, os.Getpid())
				p.remember(left)
				return left
			}
		} else if over {
			return left
		}
		if len(left) == 0 {
			select {
			case <-p.eof:
			case <-p.clk.After(pause):
			}
		} else {
			<-p.clk.After(pause)
		}
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// patience is when stragglers have had their time: Spec.Drain after the main
// process, or the end of Terminate's grace where that is later.
func (p *Process) patience(ended time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	until := ended.Add(p.spec.Drain)
	if p.deadline.After(until) {
		return p.deadline
	}
	return until
}

func (p *Process) outputComplete() bool {
	select {
	case <-p.eof:
		return true
	default:
		return false
	}
}

// killAll kills everything that belongs to the process, again and again until
// it is gone: what was forked in between is found by the next look. It says whether anything had to be killed, and what is left
// after killPatience.
func (p *Process) killAll() (sent bool, survivors []Proc) {
	until := p.clk.Now().Add(killPatience)
	pause := time.Millisecond
	for {
		all, table, err := p.members()
		left := alive(all)
		mainLives := !canSee && !p.mainEnded()
		if len(left) == 0 && err == nil && !mainLives {
			p.reapOrphans(table)
			return sent, nil
		}
		if p.clk.Now().After(until) {
			return sent, procs(left)
		}
		sent = true
		if p.leaf != nil {
			_ = p.leaf.kill()
		}
		p.signal(left, killGroup, killOne)
		<-p.clk.After(pause)
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// signal reaches the group as one, and everything outside it singly. Errors
// are left to the look that follows: what is still there was not reached.
func (p *Process) signal(to []entry, group func(int) error, one func(Proc) error) {
	p.mu.Lock()
	whole := !p.reaped
	if whole {
		_ = group(p.main.PID)
	}
	p.mu.Unlock()
	for _, e := range to {
		if !whole || e.pgid != p.main.PID {
			_ = one(e.Proc)
		}
	}
}

func (p *Process) mainEnded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// reapOrphans collects zombies that became our children because this process
// is a subreaper. The main process is exec.Cmd's.
func (p *Process) reapOrphans(table []entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range table {
		if e.State == Zombie && e.PPID == os.Getpid() && e.PID != p.main.PID && p.seen.holds(e) {
			reapOrphan(e.PID)
		}
	}
}

// closeOutput ends the draining, and says whether somebody still held the pipe.
func (p *Process) closeOutput() bool {
	held := false
	if !p.outputComplete() {
		select {
		case <-p.eof:
		case <-p.clk.After(100 * time.Millisecond): // for the last writer's end to become our EOF
			held = true
		}
	}
	p.pipe.Close()
	<-p.eof
	return held
}

// reap collects the main process. From here on its number may be given away.
func (p *Process) reap(exit *Exit) {
	p.mu.Lock()
	p.reaped = true
	p.mu.Unlock()
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Wait() // its error repeats the state
	}
	p.spec.Family.leave(p)
	s := p.cmd.ProcessState
	if s == nil {
		exit.Code = -1
		return
	}
	exit.Code, exit.Signal = s.ExitCode(), signalOf(s)
	exit.User, exit.System, exit.MaxRSS = s.UserTime(), s.SystemTime(), maxRSS(s)
}
