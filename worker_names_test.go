package candor_test

import (
	"testing"

	"candor"
)

func TestWorkersDoNotBearTheNamesOfOthers(t *testing.T) {
	for name, ok := range map[string]bool{"brain": false, "Up": false, "worker-1": true, "brain-1": true} {
		if err := candor.CheckWorkerName(name); (err == nil) != ok || err != nil && candor.CodeOf(err) != candor.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatWorkersSayOfThemselvesIsPlainText(t *testing.T) {
	good := candor.WorkerInfo{Name: "w", Host: "rig ü", Dir: "/var/lib/candor", Labels: []string{"fast"}, GPU: &candor.GPU{Name: "NVIDIA H100"}}
	if err := good.CheckTexts(); err != nil {
		t.Error(err)
	}
	for _, bad := range []candor.WorkerInfo{
		{Host: "h\x1b[2J\x1b]0;pwn\a"}, {Version: "1\n2"}, {Dir: "/a\tb"}, {Labels: []string{"a", "b\x7f"}}, {Tools: []string{"\xff"}},
		{Supervisor: "\u009b"}, {GPU: &candor.GPU{Name: "\x00"}},
	} {
		if err := bad.CheckTexts(); candor.CodeOf(err) != candor.CodeInvalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
