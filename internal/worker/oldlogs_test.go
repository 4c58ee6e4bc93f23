//go:build linux || darwin

package worker

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"candor"
	"candor/internal/attemptdir"
	"candor/internal/process"
)

func TestOldLogsGoByAge(t *testing.T) {
	dir, at := t.TempDir(), time.Now().Add(-72*time.Hour)
	folders := map[candor.BatchID]string{}
	for batch := candor.BatchID(1); batch <= 3; batch++ {
		task := candor.TaskID(1000 + batch)
		folders[batch] = attemptdir.Of(dir, batch, task, 1)
		if err := os.MkdirAll(folders[batch], 0o755); err != nil {
			t.Fatal(err)
		}
		for p := folders[batch]; p != attemptdir.Root(dir); p = filepath.Dir(p) {
			if err := os.Chtimes(p, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The first one has ended, the second runs in silence, the third was just touched.
	leases := process.LeaseDir(dir, "another")
	if err := os.MkdirAll(leases, 0o700); err != nil {
		t.Fatal(err)
	}
	r := process.Intent([]string{"A=b"}, "sh", at)
	r.Task = candor.TaskID(1002).String()
	if err := process.WriteRecord(process.LeasePath(leases, 9), r); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folders[3], "log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := startIn(t, newBrain(), dir, func(o *Options) { o.KeepLogs = 48 * time.Hour })
	f.log.wait(t, "Removed the logs of 1 batch in which nothing had happened here for 2d")
	for batch, folder := range folders {
		if _, err := os.Stat(folder); (err == nil) != (batch != 1) {
			t.Errorf("batch %d: %v", batch, err)
		}
	}
}
