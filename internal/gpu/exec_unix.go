//go:build unix

package gpu

import (
	"os/exec"
	"syscall"
)

// ownGroup makes a kill reach the tool's own children too (vendors wrap their
// tools in shell scripts), and keeps a terminal's Ctrl-C from the tool.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
