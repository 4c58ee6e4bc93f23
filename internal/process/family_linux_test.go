package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// A Family reaps whatever a process inherits, so the tests of it have a process
// of their own (part "reaper"). It says ok, or what is wrong.
func TestAFamilyEndsWhatEscapedItsJobs(t *testing.T) {
	p := start(t, part(t, "reaper"))
	if e := wait(t, p); !e.OK() || strings.TrimSpace(p.Tail()) != "ok" {
		t.Errorf("%s: %s", e, p.Tail())
	}
}

func TestNoFamilyDoesNothing(t *testing.T) {
	var f *Family
	if ended, survivors := f.EndOrphans(wallClock{}, time.Second); ended != nil || survivors != nil {
		t.Errorf("%v %v", ended, survivors)
	}
}

// reaper is the process whose family is tested.
type reaper struct {
	f    *Family
	jobs int
}

func playReaper() {
	f, err := NewFamily()
	if err != nil {
		fmt.Println(err)
		return
	}
	r := &reaper{f: f}
	server := r.start("sleep", true)
	for _, scene := range []func() string{r.alone, r.besideAnOlderJob, r.shortLived, r.besideATool} {
		if said := scene(); said != "" {
			fmt.Println(said)
			return
		}
	}
	if !ProcState(server.PID()).State.Alive() {
		fmt.Println("what lasts was ended")
		return
	}
	server.Terminate(context.Background(), 0)
	fmt.Println("ok")
}

func (r *reaper) start(part string, lasting bool, env ...string) *Process {
	r.jobs++
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	p, err := Start(wallClock{}, Spec{
		Argv: []string{self}, Dir: ".", Env: append([]string{"CHILD=" + part}, env...),
		Mark: []string{EnvLease + "=" + fmt.Sprint(r.jobs), fmt.Sprintf("REAPER=%d", os.Getpid())}, Family: r.f, Lasting: lasting,
	})
	if err != nil {
		panic(err)
	}
	return p
}

// job runs one to its end that leaves something behind, and says what.
func (r *reaper) job(seconds string) (pid int) {
	p := r.start("leave-escaped", false, "FOR="+seconds)
	<-p.Done()
	if _, err := fmt.Sscanf(p.Tail(), "left %d", &pid); err != nil {
		panic(p.Tail())
	}
	return pid
}

func (r *reaper) ends(pid int) string {
	ended, survivors := r.f.EndOrphans(wallClock{}, patience)
	if len(ended) != 1 || ended[0].PID != pid || len(survivors) > 0 || ProcState(pid).State != Gone {
		return fmt.Sprintf("of %d: ended %v, survivors %v, now %v", pid, ended, survivors, ProcState(pid))
	}
	return ""
}

func (r *reaper) alone() string { return r.ends(r.job("3600")) }

// besideAnOlderJob what escaped may be that one's, until it has ended, too.
func (r *reaper) besideAnOlderJob() string {
	older := r.start("sleep", false)
	pid := r.job("3600")
	if ended, _ := r.f.EndOrphans(wallClock{}, patience); len(ended) > 0 {
		return fmt.Sprintf("ended %v, which may be of a job that runs", ended)
	}
	older.Terminate(context.Background(), 0)
	return r.ends(pid)
}

// shortLived is what ends by itself: its number must not stay taken.
func (r *reaper) shortLived() string {
	pid := r.job("0")
	for deadline := time.Now().Add(patience); ProcState(pid).State != Gone; {
		if time.Now().After(deadline) {
			return fmt.Sprintf("not reaped: %v", ProcState(pid))
		}
		r.f.EndOrphans(wallClock{}, patience)
	}
	return ""
}

// besideATool that os/exec runs: what it waits for is not taken from it.
func (r *reaper) besideATool() string {
	tool := exec.Command("/bin/sleep", "0")
	if err := tool.Start(); err != nil {
		return err.Error()
	}
	for ProcState(tool.Process.Pid).State != Zombie {
		r.f.EndOrphans(wallClock{}, patience)
	}
	ended, _ := r.f.EndOrphans(wallClock{}, patience)
	if err := tool.Wait(); err != nil || slices.ContainsFunc(ended, func(p Proc) bool { return p.PID == tool.Process.Pid }) {
		return fmt.Sprintf("a tool: %v, ended %v", err, ended)
	}
	return ""
}
