package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"candor"
)

// lockName is the file whose lock makes a leader. Its one line says who it is:
//
//	4410 rig 2026-02-07T09:12:00.000Z http://127.0.0.1:7411
const lockName = "candor.lock"

// lead is the lock held for life.
type lead struct{ lock *flock.Flock }

// leader is what the lock's file says.
type leader struct {
	pid     int
	host    string
	started time.Time
	address string
}

// takeLead locks a state directory; candor.CodeLocked if somebody else has it.
func takeLead(o Options) (*lead, error) {
	path := filepath.Join(o.Dir, lockName)
	lock := flock.New(path, flock.SetPermissions(0o600))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fault("lock "+path, err)
	}
	if !got {
		who := readLead(o.Dir)
		return nil, &candor.Error{
			Code:    candor.CodeLocked,
			Message: fmt.Sprintf("the state in %s is %s", o.Dir, who),
			Hint:    "talk to that brain, end it, or give this one a state of its own: --state DIR",
			Detail:  map[string]any{"pid": who.pid, "host": who.host, "address": who.address},
		}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	line := fmt.Sprintf("%d %s %s %s\n", os.Getpid(), host, candor.FormatTime(o.Clock.Now()), o.Address)
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		return nil, errors.Join(fault("write "+path, err), lock.Close())
	}
	return &lead{lock: lock}, nil
}

func (l *lead) release() error { return l.lock.Close() }

// readLead reads who leads a directory; the zero leader if it cannot be told.
func readLead(dir string) leader {
	data, err := os.ReadFile(filepath.Join(dir, lockName))
	if err != nil {
		return leader{}
	}
	f := strings.Fields(string(data))
	if len(f) < 3 {
		return leader{}
	}
	var l leader
	l.host = f[1]
	if l.pid, err = strconv.Atoi(f[0]); err != nil {
		return leader{}
	}
	if l.started, err = time.Parse(candor.Timestamp, f[2]); err != nil {
		return leader{}
	}
	if len(f) > 3 {
		l.address = f[3]
	}
	return l
}

// String is "led by pid 4410 on rig since 2026-02-07 09:12", in local time.
func (l leader) String() string {
	if l.pid == 0 {
		return "led by another process"
	}
	text := fmt.Sprintf("led by pid %d on %s since %s", l.pid, l.host, l.started.Local().Format("2006-01-02 15:04"))
	if l.address != "" {
		text += ", at " + l.address
	}
	return text
}
