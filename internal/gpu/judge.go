package gpu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"strings"
)

// Bounds of what is quoted from a program that says anything at all.
const (
	maxLeftover = 20  // lines
	maxQuote    = 300 // bytes of one line
)

// complaints are what the tools print when something is wrong, most specific
// first. nvidia-smi's exit codes say less and differ between releases.
func complaints() []struct {
	text  string
	state State
} {
	return []struct {
		text  string
		state State
	}{
		{"Driver/library version mismatch", StateDriverMismatch},
		{"couldn't communicate with the NVIDIA driver", StateDriverMissing},
		{"Driver Not Loaded", StateDriverMissing},
		{"Driver not initialized", StateDriverMissing}, // rocm-smi, amdgpu absent
		{"couldn't find libnvidia-ml.so", StateDriverMissing},
		{"GPU is lost", StateDeviceLost},
		{"Unable to determine the device handle", StateDeviceLost},
		{"No devices were found", StateNoDevices},
		{"No AMD GPUs specified", StateNoDevices},
		{"No JSON data to report", StateNoDevices},
		{"Insufficient Permissions", StateToolRefused},
	}
}

// judge sets the tool's state and sentence from how it ended and how many
// cards could be read.
func judge(tool *Tool, out Output, err error, cards int) {
	tool.State = stateOf(tool.Leftover, out, err, cards)
	tool.Sentence = sentence(*tool, out, err, cards)
	tool.Leftover = tool.Leftover[:min(len(tool.Leftover), maxLeftover)]
	for i, line := range tool.Leftover {
		tool.Leftover[i] = brief(line)
	}
}

func stateOf(leftover []string, out Output, err error, cards int) State {
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return StateToolMissing
	case errors.Is(err, context.DeadlineExceeded):
		return StateTimeout
	case errors.Is(err, fs.ErrPermission):
		return StateToolRefused
	case err != nil:
		return StateFailed
	}
	text := strings.Join(leftover, "\n") + "\n" + string(out.Stderr)
	for _, c := range complaints() {
		if strings.Contains(text, c.text) && (cards == 0 || c.state == StateDeviceLost) {
			return c.state
		}
	}
	switch {
	case cards > 0:
		return StateOK
	case out.ExitCode != 0:
		return StateFailed
	case strings.TrimSpace(text) == "":
		return StateNoDevices
	}
	return StateUnreadable
}

func sentence(tool Tool, out Output, err error, cards int) string {
	name, first := tool.Name, firstLine(out, err)
	switch tool.State {
	case StateOK:
		return fmt.Sprintf("%s sees %s, driver %s", name, counted(cards), orUnknown(tool.Driver))
	case StateNoDevices:
		return fmt.Sprintf("%s works but sees no GPU", name)
	case StateToolMissing:
		return fmt.Sprintf("%s is not installed (not on PATH)", name)
	case StateToolRefused:
		return fmt.Sprintf("%s may not be run by this user: %s", name, first)
	case StateDriverMismatch:
		return "the NVIDIA library and kernel module have different versions, as after an upgrade: reboot, or reload the nvidia modules"
	case StateDriverMissing:
		return fmt.Sprintf("%s cannot reach the kernel driver: load it (modprobe), or reinstall it for the running kernel", name)
	case StateDeviceLost:
		return fmt.Sprintf("a GPU does not answer any more (%s still does): %s; reset it or reboot", counted(cards), lostLine(tool, out))
	case StateTimeout:
		return fmt.Sprintf("%s did not answer in time: the driver may hang; see the kernel log (dmesg) for Xid or amdgpu errors", name)
	case StateUnreadable:
		return fmt.Sprintf("%s printed nothing that could be understood: %s", name, first)
	case StateFailed:
	}
	return fmt.Sprintf("%s failed with exit code %d: %s", name, out.ExitCode, first)
}

func counted(cards int) string {
	if cards == 1 {
		return "1 GPU"
	}
	return fmt.Sprintf("%d GPUs", cards)
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// lostLine finds the line about the lost card, which names its bus address.
func lostLine(tool Tool, out Output) string {
	for _, line := range append(slices.Clip(tool.Leftover), lines(out.Stderr)...) {
		for _, c := range complaints() {
			if c.state == StateDeviceLost && strings.Contains(line, c.text) {
				return brief(line)
			}
		}
	}
	return firstLine(out, nil)
}

// firstLine is the first thing a tool said; nvidia-smi complains on stdout.
func firstLine(out Output, err error) string {
	if err != nil {
		return err.Error()
	}
	for _, text := range [][]byte{out.Stdout, out.Stderr} {
		line, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
		if len(line) > 0 {
			return brief(string(bytes.TrimSpace(line)))
		}
	}
	return "it said nothing"
}

// brief cuts a line that is too long to quote.
func brief(line string) string {
	if len(line) <= maxQuote {
		return line
	}
	return strings.ToValidUTF8(line[:maxQuote], "") + "…"
}
