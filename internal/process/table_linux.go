package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// userHZ is the unit of CPU times in /proc; it is 100 on every architecture
// that Go runs on, whatever the kernel's own tick.
const userHZ = 100

const (
	cpuMeasured = true
	canSee      = true // the table of processes can be read
)

func listProcs() ([]entry, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var all []entry
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if e, ok := readProc(pid); ok {
				all = append(all, e)
			}
		}
	}
	return all, nil
}

// statLine is room for a line of proc_pid_stat(5): some fifty numbers and a name of
// at most 64 bytes.
const statLine = 2 << 10

// readProc makes three system calls, where os.ReadFile makes nine of a file that
// nobody can wait for: with some hundred processes that is most of what a short
// job costs.
func readProc(pid int) (entry, bool) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return entry{}, false
	}
	defer unix.Close(fd)
	var buf [statLine]byte
	n, err := unix.Read(fd, buf[:])
	if err != nil || n == len(buf) {
		return entry{}, false
	}
	return parseStat(pid, buf[:n])
}

// parseStat reads /proc/PID/stat (proc_pid_stat(5)). The name may hold blanks
// and brackets, so fields count from the last bracket; f[0] is field 3.
func parseStat(pid int, b []byte) (entry, bool) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return entry{}, false
	}
	f := strings.Fields(string(b[end+1:]))
	if len(f) < 22 {
		return entry{}, false
	}
	num := func(i int) int64 { n, _ := strconv.ParseInt(f[i], 10, 64); return n }
	start, err := strconv.ParseUint(f[19], 10, 64)
	if err != nil {
		return entry{}, false
	}
	state := stateOf(f[0])
	if state == Zombie && num(17) > 1 { // only its first thread has ended
		state = Running
	}
	return entry{
		Proc: Proc{
			PID: pid, PPID: int(num(1)), Start: start, State: state,
			Comm: strings.ToValidUTF8(string(b[open+1:end]), "\uFFFD"),
		},
		pgid: int(num(2)), sid: int(num(3)),
		cpu: time.Duration(num(11)+num(12)+num(13)+num(14)) * time.Second / userHZ,
		rss: num(21) * int64(os.Getpagesize()),
	}, true
}

func stateOf(letter string) State {
	switch letter {
	case "R":
		return Running
	case "D":
		return Blocked
	case "T", "t":
		return Stopped
	case "Z", "X", "x":
		return Zombie
	}
	return Sleeping
}

// carries says whether the process has every entry of mark in the environment
// it was started with. Another user's process is not readable, so it never has.
func carries(pid int, mark []string) bool {
	if len(mark) == 0 || !soundMark(mark) {
		return false
	}
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 8<<20)) // the kernel's own bound on an environment is 6 MiB
	if err != nil {
		return false
	}
	env := strings.Split(string(b), "\x00")
	return !slices.ContainsFunc(mark, func(m string) bool { return !slices.Contains(env, m) })
}

// signalExact signals one process, and only the bearer of the number that
// started when e did: the descriptor pins it between the look and the deed.
func signalExact(e Proc, sig unix.Signal) error {
	fd, err := unix.PidfdOpen(e.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err == nil {
		defer unix.Close(fd)
	}
	now, ok := readProc(e.PID)
	if !ok || now.Start != e.Start {
		return nil
	}
	if err != nil { // a kernel before 5.3, or a sandbox without it
		return gone(unix.Kill(e.PID, sig))
	}
	return gone(unix.PidfdSendSignal(fd, sig, nil, 0))
}

func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b))
}

// pipeHolders finds who has the write end of the pipe with this inode open.
// Only the write end counts: a sibling that is just being started may have
// inherited our read end for an instant.
func pipeHolders(inode uint64, table []entry, start uint64, self int) []entry {
	want := "pipe:[" + strconv.FormatUint(inode, 10) + "]"
	var found []entry
	for _, e := range table {
		if e.Start >= start && e.PID != self && e.State.Alive() && writesTo(e.PID, want) {
			e.kin = true
			found = append(found, e)
		}
	}
	return found
}

func writesTo(pid int, link string) bool {
	base := "/proc/" + strconv.Itoa(pid)
	fds, err := os.ReadDir(base + "/fd")
	if err != nil {
		return false
	}
	for _, fd := range fds {
		if got, err := os.Readlink(base + "/fd/" + fd.Name()); err != nil || got != link {
			continue
		}
		info, _ := os.ReadFile(base + "/fdinfo/" + fd.Name())
		_, rest, _ := strings.Cut(string(info), "flags:")
		flags, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
		if n, err := strconv.ParseUint(flags, 8, 64); err == nil && n&unix.O_ACCMODE != unix.O_RDONLY {
			return true
		}
	}
	return false
}
