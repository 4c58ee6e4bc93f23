package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// KillLeasesOf ends what one process left in a folder of lease records, and
// removes the records of what is proven to be gone. What another one recorded
// there is not touched: two processes may take themselves for the same worker,
// and the one that lost the race for its name ends while the winner works.
//
// Each attempt is fenced first, with why, and the fence stays. The owner may be
// alive after all (KILL does not end a process that hangs in its driver), and
// must not take the end of its attempt for somebody else's deed.
//
// unknown counts the records that name no owner or cannot be read. They are the
// next worker's to clear, which alone knows that nobody else has its name.
func KillLeasesOf(clk Clock, leaseDir string, owner Owner, why string, patience time.Duration) (swept []Swept, unknown int, err error) {
	entries, err := os.ReadDir(leaseDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("read lease records: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(leaseDir, e.Name())
		if filepath.Ext(path) != ".json" {
			continue
		}
		switch r, err := ReadRecord(path); {
		case errors.Is(err, fs.ErrNotExist): // its owner has dropped it
		case err != nil || r.Owner == Owner{} && r.Boot == bootID():
			unknown++
		case r.Owner == owner && r.Boot == bootID():
			swept = append(swept, endLease(clk, path, why, patience))
		}
	}
	return swept, unknown, nil
}

func endLease(clk Clock, path, why string, patience time.Duration) Swept {
	if err := Fence(path, why); err != nil {
		return Swept{Path: path, Err: err}
	}
	return dropClean(killLease(clk, path, patience))
}
