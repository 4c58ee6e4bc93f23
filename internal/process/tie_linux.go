package process

import (
	"os/exec"
	"syscall"
)

// tie ends the child with its parent. The kernel means the thread that forked,
// and Go ends no thread but one that a goroutine has locked and not let go,
// which nobody here does. A child whose parent is gone before it could say so
// kills itself (os/exec looks), so that none gets as far as its command.
func tie(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL }
