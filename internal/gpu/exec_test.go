//go:build unix

package gpu

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// install puts a shell script of that name on a PATH that has nothing else but
// the system's own folders, and returns its folder.
func install(t *testing.T, name, script string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	return dir
}

const fakeH100 = `case "$1" in
--query-gpu=*) echo "0, GPU-1, NVIDIA H100 80GB HBM3, 81559, 9, 81550, 84, 650.1, 700.00, 99, 00000000:18:00.0, 580.159.04";;
--query-compute-apps=*) echo "GPU-1, 4242, /bin/job, 9";;
esac
test "$2 $3" = "--format=csv,noheader,nounits " && test "$LC_ALL" = C
`

func TestFakeToolRunsForReal(t *testing.T) {
	install(t, nvidiaSMI, fakeH100)
	tool, gpus, stray := askNVIDIA(t.Context(), Exec{})
	if tool.State != StateOK || tool.Sentence != "nvidia-smi sees 1 GPU, driver 580.159.04" || len(gpus) != 1 || stray != nil {
		t.Fatalf("%+v %+v %+v", tool, gpus, stray)
	}
	want := []Process{{GPUUUID: "GPU-1", PID: 4242, Name: "/bin/job", Memory: Reading[int64]{9 << 20, true, "9"}}}
	if diff := cmp.Diff(want, gpus[0].Processes); diff != "" {
		t.Error(diff)
	}
	if g := gpus[0]; g.MemoryTotal.Value != 81559<<20 || g.Temperature.Value != 84 || g.Utilization.Value != 0.99 {
		t.Errorf("%+v", g)
	}
}

func TestHangingToolCostsItsLimitAndLeavesNoChild(t *testing.T) {
	dir := install(t, nvidiaSMI, `sleep 600 & echo $! > "$(dirname "$0")/child"; echo "No devices"; wait`)
	tool, _, _ := askNVIDIA(t.Context(), Exec{Limit: 300 * time.Millisecond})
	if tool.State != StateTimeout || !strings.Contains(tool.Sentence, "did not answer in time") {
		t.Errorf("%+v", tool)
	}
	text, err := os.ReadFile(filepath.Join(dir, "child"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	gone(t, pid)
}

// gone waits until the process has ended; a zombie that nobody reaps has.
func gone(t *testing.T, pid int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		stat, _ := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || strings.HasPrefix(string(stat), "Z") {
			return
		}
		<-tick.C
	}
	t.Errorf("process %d is still there", pid)
}

func TestToolsOfEveryKindOfTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		mode   os.FileMode
		want   State
	}{
		"ends by a signal":           {"kill -SEGV $$", 0o755, StateFailed},
		"leaves its pipe to a child": {"sleep 5 & echo 'No devices were found'; exit 6", 0o755, StateNoDevices},
		"prints without end":         {"yes junk | tr -d '\\n' | head -c 9000000", 0o755, StateUnreadable},
		"is no program":              {"", 0o644, StateToolMissing},
	} {
		t.Run(name, func(t *testing.T) {
			dir := install(t, nvidiaSMI, c.script)
			if err := os.Chmod(filepath.Join(dir, nvidiaSMI), c.mode); err != nil {
				t.Fatal(err)
			}
			tool, _, _ := askNVIDIA(t.Context(), Exec{Limit: time.Minute})
			if tool.State != c.want || len(tool.Sentence) > 400 {
				t.Errorf("%s: %.400s", tool.State, tool.Sentence)
			}
		})
	}
}

func TestMissingToolMatchesNotFound(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := (Exec{}).Run(t.Context(), rocmSMI); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("err = %v", err)
	}
}
