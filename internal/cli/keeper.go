package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"

	"candor"
	"candor/internal/config"
)

// keeperName is the file whose lock makes a process the keeper of a state: the
// one that starts brain and workers for it, and starts them again. Its one line
// says who it is: 4410 run. The lock is held for the keeper's life, so that a
// brain which is only being started again is not taken for one that has ended.
const keeperName = "farm.lock"

// The verbs that keep a farm.
const (
	keptByRun = "run" // for as long as its batch takes
	keptByUp  = "up"  // until somebody stops it
)

// keeper is who keeps a state's brain and workers, or did last.
type keeper struct {
	pid  int
	verb string
}

// keeping is the lock of a keeper.
type keeping struct{ lock *flock.Flock }

// keepFarm makes this process the keeper of a state; nil if somebody else is.
func keepFarm(cfg *config.Loaded, verb string) (*keeping, error) {
	path := keeperPath(cfg)
	lock := flock.New(path, flock.SetPermissions(0o600))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !got {
		return nil, nil
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, "%d %s\n", os.Getpid(), verb), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), lock.Close())
	}
	return &keeping{lock}, nil
}

func (k *keeping) release() error { return k.lock.Close() }

func keeperPath(cfg *config.Loaded) string { return filepath.Join(string(cfg.State), keeperName) }

// lastKeeper reads who keeps a state, or did last; the zero keeper if nobody has,
// or it cannot be told.
func lastKeeper(cfg *config.Loaded) keeper {
	data, err := os.ReadFile(keeperPath(cfg))
	if err != nil {
		return keeper{}
	}
	pid, verb, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
	n, err := strconv.Atoi(pid)
	if err != nil {
		return keeper{}
	}
	return keeper{pid: n, verb: verb}
}

// String is "candor run (pid 4410)".
func (k keeper) String() string {
	if k.pid == 0 {
		return "another candor"
	}
	return fmt.Sprintf("candor %s (pid %d)", k.verb, k.pid)
}

// busy is the error of a state that has a keeper, whose brain does not answer.
func (k keeper) busy(cfg *config.Loaded) error {
	return &candor.Error{
		Code: candor.CodeLocked, Message: fmt.Sprintf("%s keeps a brain for %s, and it does not answer", k, cfg.State),
		Hint: "it may be starting or ending: try again in a moment; --state DIR starts one apart",
	}
}
