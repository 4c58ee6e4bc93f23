//go:build linux

package e2e

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"candor"

	_ "modernc.org/sqlite"
)

// envLocks makes this test binary a program that holds the write lock of the
// database it names, as somebody's tool does, until it is ended.
const envLocks = "E2E_LOCKS_STORE"

func locksStore() int {
	db, err := sql.Open("sqlite", os.Getenv(envLocks)+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	if err == nil {
		_, err = db.Begin()
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	over := make(chan os.Signal, 1)
	signal.Notify(over, syscall.SIGTERM)
	fmt.Println("locked")
	<-over
	return 0
}

// lockStore starts such a program.
func (f *farm) lockStore() *proc {
	f.t.Helper()
	self, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	path, err := filepath.Abs(filepath.Join(f.state, "candor.db"))
	if err != nil {
		f.t.Fatal(err)
	}
	p := f.launchWith("locker", func(*exec.Cmd) {}, append(f.env(), envLocks+"="+path), self)
	f.until("the store is locked", func() bool { return strings.Contains(p.output(), "locked") })
	return p
}

// TestF34StoreLocked: while another process holds the store's lock, whoever asks
// gets an answer within seconds, which names the process; the log and doctor name
// it while it lasts, and the events once it is over. What was handed in meanwhile
// happens then.
func TestF34StoreLocked(t *testing.T) {
	t.Parallel()
	f := newFarm(t, nil)
	f.brain()
	f.work("worker-1")
	id := f.submit("before", `
		a: {run: "true"}
	`)
	f.ends(id)
	locker := f.lockStore()
	word := fmt.Sprintf("locked by pid %d (", locker.pid())
	plan := f.plan("meanwhile", `
		a: {run: "true"}
	`)
	submit := f.start("submit", "submit", plan)

	var st candor.Status
	f.within(15*time.Second, "the trouble is in the status", func() bool {
		begun := time.Now()
		r := f.candor("status", "--json").ok()
		if took := time.Since(begun); took > 8*time.Second {
			t.Errorf("status took %s", took)
		}
		r.json(&st)
		return st.Trouble != ""
	})
	for _, text := range []string{"store: commit under way for ", "(usual ", word} {
		if !strings.Contains(st.Trouble, text) {
			t.Errorf("the status does not say %q: %s", text, st.Trouble)
		}
	}
	if x := f.why("worker-1"); !strings.Contains(x.Trouble, word) {
		t.Errorf("why does not say %q: %+v", word, x)
	}
	for _, args := range [][]string{{"ls"}, {"show", id.String()}, {"worker", "ls"}, {"events"}} {
		begun := time.Now()
		f.candor(args...).ok()
		if took := time.Since(begun); took > 8*time.Second {
			t.Errorf("%q took %s", args, took)
		}
	}
	if doctor := f.candor("doctor"); !strings.Contains(doctor.out, word) {
		t.Errorf("doctor does not say %q:\n%s%s", word, doctor.out, doctor.talk)
	}
	f.soon(func() bool { return len(f.underWay()) > 0 })
	if lines := f.underWay(); len(lines) == 0 || !strings.Contains(lines[0].Text, word) {
		t.Errorf("the brain's log says %+v", lines)
	}
	locker.kill()
	if code := submit.wait(); code != 0 {
		t.Errorf("the submission left with %d: %s", code, submit.output())
	}
	f.until("it is over", func() bool { return len(f.events(candor.EventStoreSlow)) > 0 })
	f.once(candor.EventStoreSlow, "store: commit ", "(usual ", word)
	var after candor.Status
	if f.candor("status", "--json").ok().json(&after); after.Trouble != "" {
		t.Errorf("the trouble stands: %s", after.Trouble)
	}
}

// underWay are the lines of the brain's log about a commit that takes long.
func (f *farm) underWay() []line {
	var out []line
	for _, l := range f.log("brain") {
		if strings.HasPrefix(l.Text, "store: commit under way for ") {
			out = append(out, l)
		}
	}
	return out
}
