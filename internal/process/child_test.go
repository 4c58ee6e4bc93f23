//go:build linux || darwin

package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test binary is its own cast of children: CHILD selects the part.
func TestMain(m *testing.M) {
	if part := os.Getenv("CHILD"); part != "" {
		play(part)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func play(part string) {
	switch part {
	case "print":
		printBytes()
	case "spin":
		fmt.Println("ready")
		for n := 1; n != 0; n++ { // uses CPU and says nothing; ends when n has gone round, after centuries
		}
	case "sleep":
		fmt.Println("ready")
		sleepForEver()
	case "stop":
		fmt.Println("ready")
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		sleepForEver()
	case "ignore-term":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		sleepForEver()
	case "obey-term":
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Println("ready")
		<-c
		fmt.Println("bye")
		os.Exit(3)
	case "stop-obey-term":
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Println("ready")
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		<-c
		fmt.Println("bye")
	case "exit":
		n, _ := strconv.Atoi(os.Getenv("N"))
		os.Exit(n)
	case "kill-self":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		sleepForEver()
	case "leave-behind":
		leaveBehind(false)
	case "family":
		leaveBehind(false)
		sleepForEver()
	case "leave-nameless":
		leaveBehind(true)
	case "leave-escaped":
		leaveEscaped(os.Getenv("FOR"))
	case "reaper":
		playReaper()
	case "progress":
		path := os.Getenv(EnvProgressFile)
		_ = AppendProgress(path, Progress{Done: 40, Total: 125, Note: "rows"})
		_ = os.WriteFile("result", make([]byte, 1000), 0o600)
		sleepForEver()
	case "env":
		for _, e := range os.Environ() {
			fmt.Println(e)
		}
		wd, _ := os.Getwd()
		fmt.Println("wd", wd)
		n, err := os.Stdin.Read(make([]byte, 1))
		fmt.Println("stdin", n, err)
	}
}

func sleepForEver() { time.Sleep(time.Hour) }

func printBytes() {
	n, _ := strconv.ParseInt(os.Getenv("N"), 10, 64)
	line := append(bytes.Repeat([]byte("x"), 99), '\n')
	block := bytes.Repeat(line, 10_000)
	for n > 0 {
		m := min(n, int64(len(block)))
		if _, err := os.Stdout.Write(block[:m]); err != nil {
			os.Exit(1)
		}
		n -= m
	}
}

// leaveEscaped starts a grandchild that nothing of a family ties to it but its
// parent, which ends.
func leaveEscaped(seconds string) {
	cmd := exec.Command("/bin/sleep", seconds)
	cmd.Env = []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("left", cmd.Process.Pid)
}

// leaveBehind starts a grandchild that left the session and holds the output;
// a nameless one has an empty environment too.
func leaveBehind(nameless bool) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CHILD=sleep")
	if nameless {
		cmd = exec.Command("/bin/sleep", "3600")
		cmd.Env = []string{}
	}
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("left", cmd.Process.Pid)
}
