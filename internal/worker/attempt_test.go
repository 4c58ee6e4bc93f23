//go:build linux || darwin

package worker

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"candor"
	"candor/internal/gpu"
	"candor/internal/process"
)

func TestOutputsGoIntoPlaceAndTheWorkDirectoryGoes(t *testing.T) {
	b := newBrain()
	f := start(t, b, nil)
	s := spec(f.dir, func(s *candor.Step) {
		s.Run = `echo printed; echo '["a"]' > passages.json; mkdir sub; echo two > sub/two; echo scrap > scrap`
		s.Outputs = map[string]string{"passages": "passages.json", "two": "sub/two"}
	})
	lease := b.add(s, 3, `"x"`)
	r := b.result(t, lease)
	if r.Outcome != candor.AttemptDone || r.Reason != nil || r.Tail != "" || r.Exit == nil || r.Exit.Code != 0 {
		t.Fatalf("result %+v", r)
	}
	out := filepath.Join(s.BatchDir, "passages", "00003")
	if got := read(t, filepath.Join(out, "passages.json")) + read(t, filepath.Join(out, "sub", "two")) + read(t, filepath.Join(out, ".lease")); got != "[\"a\"]\ntwo\n1\n" {
		t.Errorf("outputs %q", got)
	}
	if _, err := os.Stat(filepath.Join(out, "scrap")); err == nil {
		t.Error("an undeclared file was published")
	}
	f.log.wait(t, "Completed cpu task")
	if _, err := os.Stat(filepath.Join(r.Dir, "work")); err == nil {
		t.Error("the work directory of a successful attempt is still there")
	}
	if got := read(t, filepath.Join(r.Dir, "log")); got != "printed\n" {
		t.Errorf("log %q", got)
	}
	empty(t, process.LeaseDir(f.dir, "worker-1"))
}

func TestEndings(t *testing.T) {
	cases := map[string]struct {
		step    func(*candor.Step)
		item    string
		outcome candor.AttemptOutcome
		reason  candor.ReasonCode
		text    string // a part
	}{
		"exit 3":      {step: run("echo no such book >&2; exit 3"), outcome: candor.AttemptFailed, reason: candor.ReasonExitCode, text: "exit 3 after "},
		"exit 75":     {step: run("exit 75"), outcome: candor.AttemptTransient, reason: candor.ReasonExitTransient, text: "exit 75"},
		"exit 78":     {step: run("exit 78"), outcome: candor.AttemptPermanent, reason: candor.ReasonExitPermanent, text: "exit 78"},
		"bad worker":  {step: run("exit 123"), outcome: candor.AttemptBadWorker, reason: candor.ReasonExitBadWorker, text: "worker-1"},
		"killed":      {step: run("kill -9 $$"), outcome: candor.AttemptFailed, text: "signal: KILL (9)"},
		"terminated":  {step: run("kill -TERM $$"), outcome: candor.AttemptFailed, reason: candor.ReasonExitSignal, text: "signal: TERM (15)"},
		"no program":  {step: func(s *candor.Step) { s.Argv = []string{"no-such-program"} }, outcome: candor.AttemptFailed, reason: candor.ReasonStart, text: `"no-such-program"`},
		"zero byte":   {step: run("true"), item: `"a\u0000b"`, outcome: candor.AttemptPermanent, reason: candor.ReasonStart, text: "zero byte"},
		"same fields": {step: run("true"), item: `{"a-b":1,"a_b":2}`, outcome: candor.AttemptPermanent, reason: candor.ReasonStart, text: "$ITEM_A_B"},
		"no output": {step: func(s *candor.Step) { s.Run, s.Outputs = "true", map[string]string{"out": "out.json"} },
			outcome: candor.AttemptFailed, reason: candor.ReasonOutputMissing, text: "exit 0, but declared out.json missing"},
		"output elsewhere": {step: func(s *candor.Step) {
			s.Run, s.Outputs = "ln -s /etc/passwd out.json", map[string]string{"out": "out.json"}
		},
			outcome: candor.AttemptFailed, reason: candor.ReasonOutputMissing, text: "out.json leads out of the work directory"},
		"link in an output": {step: func(s *candor.Step) {
			s.Run, s.Outputs = "mkdir d && ln -s ../.. d/up", map[string]string{"d": "d"}
		}, outcome: candor.AttemptFailed, reason: candor.ReasonOutputMissing, text: `d holds a link that leads out of it: "up"`},
		"one file under two names": {step: func(s *candor.Step) {
			s.Run, s.Outputs = "echo hello > real.txt; ln -s real.txt out.txt", map[string]string{"o": "out.txt", "r": "real.txt"}
		}, outcome: candor.AttemptFailed, reason: candor.ReasonOutputMissing, text: "exit 0, but declared output real.txt (r) is the same file as out.txt (o), by a link"},
		"one folder under two names": {step: func(s *candor.Step) {
			s.Run, s.Outputs = "mkdir d; ln -s d e", map[string]string{"o": "d", "p": "e"}
		}, outcome: candor.AttemptFailed, reason: candor.ReasonOutputMissing, text: "declared output e (p) is the same file as d (o), by a link"},
		"inside another by a link": {step: func(s *candor.Step) {
			s.Run, s.Outputs = "mkdir d; echo x > d/x; ln -s d/x y", map[string]string{"a": "y", "b": "d"}
		}, outcome: candor.AttemptFailed, reason: candor.ReasonOutputMissing, text: "declared output y (a) lies inside d (b), by a link"},
		"inside another": {step: func(s *candor.Step) {
			s.Run, s.Outputs = "mkdir e; echo x > e/x; ln -s e d", map[string]string{"a": "d/x", "b": "d"}
		}, outcome: candor.AttemptDone},
		"timeout": {step: func(s *candor.Step) { s.Run, s.Timeout = "sleep 60", candor.Duration(200*time.Millisecond) },
			outcome: candor.AttemptTimeout, reason: candor.ReasonTimeout, text: "ran longer than its timeout of 200ms; it sleeps"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBrain()
			f := start(t, b, func(o *Options) { o.BadWorkerExit = 123 })
			r := b.result(t, b.add(spec(f.dir, c.step), 0, c.item))
			said := candor.Reason{}
			if r.Reason != nil {
				said = *r.Reason
			}
			if r.Outcome != c.outcome || c.reason != "" && said.Code != c.reason || !strings.Contains(said.Text, c.text) {
				t.Fatalf("outcome %s, reason %+v", r.Outcome, said)
			}
			if name == "exit 3" && (r.Tail != "no such book\n" || !strings.HasSuffix(said.Text, "; it printed at last: no such book")) {
				t.Errorf("tail %q, reason %q", r.Tail, said.Text)
			}
		})
	}
}

func TestSilenceIsToldApart(t *testing.T) {
	cases := map[string]struct{ script, text, kind string }{
		"sleeps":  {"sleep 60", "it sleeps: ", "sleeping"},
		"spins":   {"while :; do :; done", "it spins: ", "spinning"},
		"stopped": {"kill -STOP $$", "it is stopped (SIGSTOP or a debugger): pid ", "stopped"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBrain()
			f := start(t, b, nil)
			lease := b.add(spec(f.dir, func(s *candor.Step) { s.Run, s.NoProgress = c.script, candor.Duration(time.Second) }), -1, "")
			r := b.result(t, lease)
			if r.Outcome != candor.AttemptSilent || r.Reason.Code != candor.ReasonNoProgress || !strings.Contains(r.Reason.Text, c.text) || r.Reason.Operands["kind"] != c.kind {
				t.Fatalf("outcome %s, reason %+v", r.Outcome, r.Reason)
			}
			if !strings.Contains(r.Reason.Text, "(limit 1s)") {
				t.Errorf("no limit in %q", r.Reason.Text)
			}
			if n, m := f.log.count("TERM to pid"), f.log.count("no process of it is left"); n != 1 || m != 1 {
				t.Errorf("the ending is told %d times, its success %d times", n, m)
			}
		})
	}
}

func TestProgressOfAnyVisibleKindIsNoSilence(t *testing.T) {
	for name, word := range map[string]string{
		"output": "echo .", "files": "echo . >> f", "report": `echo "$i 20" >> "$CANDOR_PROGRESS_FILE"`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBrain()
			f := start(t, b, nil)
			script := "i=0; while [ $i -lt 20 ]; do " + word + "; i=$((i+1)); sleep 0.1; done"
			lease := b.add(spec(f.dir, func(s *candor.Step) { s.Run, s.NoProgress = script, candor.Duration(time.Second) }), -1, "")
			h := b.beat(t, "with progress", func(h candor.HeartbeatRequest) bool { return len(h.Running) == 1 && h.Running[0].Progress.Kind == name })
			if h.Running[0].Lease != lease || h.Running[0].Progress.PID == 0 || !strings.HasPrefix(h.Doing, "running passages t_") {
				t.Errorf("heartbeat %+v", h)
			}
			if r := b.result(t, lease); r.Outcome != candor.AttemptDone {
				t.Errorf("outcome %s, reason %+v", r.Outcome, r.Reason)
			}
		})
	}
}

func TestAbortEndsTheWholeFamily(t *testing.T) {
	b := newBrain()
	f := start(t, b, nil)
	pids := filepath.Join(f.dir, "pids")
	lease := b.add(spec(f.dir, run(`trap '' TERM; (trap '' TERM; echo $$ >> `+pids+`; sleep 60) & echo $! >> `+pids+`; echo ready; while :; do sleep 1; done`)), -1, "")
	b.beat(t, "after the first output", func(h candor.HeartbeatRequest) bool { return len(h.Running) == 1 && h.Running[0].Progress.Bytes > 0 })
	b.set(func() {
		b.orders.Abort = []candor.AbortOrder{{Lease: lease, Reason: candor.ReasonCancelled, Text: "cancelled by ann"}}
	})
	r := b.result(t, lease)
	if r.Outcome != candor.AttemptAborted || r.Reason.Code != candor.ReasonCancelled || r.Reason.Text != "cancelled by ann" || len(r.Exit.Survived) > 0 {
		t.Errorf("result %+v", r)
	}
	for _, line := range strings.Fields(read(t, pids)) {
		pid, _ := strconv.Atoi(line)
		gone(t, pid)
	}
	for _, part := range []string{"TERM to pid", "KILL to ", "no process of it is left"} {
		if n := f.log.count(part); n != 1 {
			t.Errorf("%q is told %d times", part, n)
		}
	}
}

// Fault F49: names that a shell would take apart arrive byte by byte.
func TestItemsArriveByteByByte(t *testing.T) {
	nasty := []string{
		"$(touch pwned)", "`touch pwned`", `a"b'c`, "line\nbreak\n", "-rf", "--help", "*", "~", "a;b|c&d", `back\slash`,
		"tab\there", " blanks ", "\u00e9\u4e2d\U0001F600", "%s%n", "\x01\x1b[31m", "!history", "#no comment", "a=b", "${HOME}",
	}
	b := newBrain()
	f := start(t, b, nil)
	for _, item := range nasty {
		text, _ := json.Marshal(item)
		object, _ := json.Marshal(map[string]any{"path": item, "n": 3, "deep": []string{item}, "no": nil})
		check := func(raw []byte, script, want string) {
			t.Helper()
			s := spec(f.dir, func(s *candor.Step) { s.Run, s.Outputs = script, map[string]string{"out": "out"} })
			lease := b.add(s, int(b.lease), string(raw))
			if r := b.result(t, lease); r.Outcome != candor.AttemptDone {
				t.Fatalf("%q: %+v", item, r.Reason)
			}
			if got := read(t, filepath.Join(outputDir(s.BatchDir, "passages", int(lease-1)), "out")); got != want {
				t.Errorf("%q arrived as %q", want, got)
			}
		}
		check(text, `printf %s "$ITEM" > out; test ! -e pwned`, item)
		deep, _ := json.Marshal([]string{item})
		check(object, `printf '%s|%s|%s|%s' "$ITEM_PATH" "$ITEM_N" "$ITEM_DEEP" "$ITEM_NO" > out`, item+"|3|"+string(deep)+"|")
	}
}

func TestEnvironmentIsBuiltFromNothing(t *testing.T) {
	b := newBrain()
	f := start(t, b, func(o *Options) {
		o.Environ = []string{"PATH=" + os.Getenv("PATH"), "HOME=/somewhere", "TERM=xterm", "NOTIFY_SOCKET=/run/n", "WATCHDOG_USEC=1", "CANDOR_TOKEN_FILE=/t", "SECRET=1", "LC_ALL=C"}
		o.GPU = &gpu.GPU{Vendor: gpu.NVIDIA, UUID: "GPU-5a", Index: gpu.Reading[int]{Value: 1, Known: true}}
	})
	s := spec(f.dir, func(s *candor.Step) {
		s.Run, s.Class = "env > env", candor.ClassScript
		s.Env = map[string]string{"INPUT_FOLDER": "docs", "TERM": "mine", "CANDOR_LEASE": "lie",
			"TRACEPARENT": "00-" + strings.Repeat("ab", 16) + "-" + strings.Repeat("cd", 8) + "-00"}
		s.Outputs = map[string]string{"env": "env"}
	})
	s.Needs = []candor.NeedSpec{
		{Need: candor.Need{Step: "scan"}, Outputs: map[string]string{"manifest": "m/list.json"}},
		{Need: candor.Need{Step: "split-text", Each: true}, FansOut: true, Outputs: map[string]string{"out": "o.json"}},
		{Need: candor.Need{Step: "all"}, FansOut: true, Outputs: map[string]string{"out": "o.json"}},
	}
	lease := b.add(s, 4, `"it"`)
	if r := b.result(t, lease); r.Outcome != candor.AttemptDone {
		t.Fatalf("%+v", r.Reason)
	}
	env := strings.Split(strings.TrimSpace(read(t, filepath.Join(outputDir(s.BatchDir, "passages", 4), "env"))), "\n")
	work := filepath.Join(f.dir, "attempts", candor.BatchID(7).String(), candor.TaskID(1001).String(), "1", "work")
	subset(t, env,
		"HOME=/somewhere", "LC_ALL=C", "INPUT_FOLDER=docs", "TERM=mine", "ITEM=it", "ITEM_INDEX=4", "CANDOR_LEASE=1", "CANDOR_ATTEMPT=1",
		"CANDOR_WORKER=worker-1", "TRACEPARENT=00-"+strings.Repeat("ab", 16)+"-"+strings.Repeat("cd", 8)+"-00", "CANDOR_PLAN_ID="+candor.BatchID(7).String(), "CANDOR_TASK_ID="+candor.TaskID(1001).String(),
		"CANDOR_WORK_DIR="+work, "CANDOR_OUTPUT_DIR="+work, "BATCH_DIR="+s.BatchDir, "PLAN_DIR="+f.dir,
		"CUDA_VISIBLE_DEVICES=GPU-5a", "CUDA_DEVICE_ORDER=PCI_BUS_ID", "ROCR_VISIBLE_DEVICES=", "CANDOR_GPU_UUID=GPU-5a", "CANDOR_GPU_INDEX=1",
		"NEEDS_SCAN_DIR="+filepath.Join(s.BatchDir, "scan"), "NEEDS_SCAN_MANIFEST="+filepath.Join(s.BatchDir, "scan", "m", "list.json"),
		"NEEDS_SPLIT_TEXT_OUT="+filepath.Join(s.BatchDir, "split-text", "00004", "o.json"), "NEEDS_ALL_DIR="+filepath.Join(s.BatchDir, "all"))
	for _, e := range env {
		for _, bad := range []string{"NOTIFY_SOCKET", "WATCHDOG", "CANDOR_TOKEN", "SECRET", "NEEDS_ALL_OUT"} {
			if strings.HasPrefix(e, bad) {
				t.Errorf("%s reached the attempt", e)
			}
		}
	}
}

func TestCPUWorkSeesNoCard(t *testing.T) {
	w := &worker{o: Options{GPU: &gpu.GPU{UUID: "GPU-5a"}}}
	env := map[string]string{}
	w.gpuEnv(env, candor.ClassCPU)
	if env["CUDA_VISIBLE_DEVICES"] != "" || env["CANDOR_GPU_UUID"] != "" {
		t.Errorf("%v", env)
	}
	w.o.GPU.Vendor = gpu.AMD
	w.gpuEnv(env, candor.ClassScript)
	if env["ROCR_VISIBLE_DEVICES"] != "GPU-5a" || env["CUDA_VISIBLE_DEVICES"] != "" {
		t.Errorf("%v", env)
	}
}

func TestNoCommandCompletesAtOnce(t *testing.T) {
	b := newBrain()
	f := start(t, b, nil)
	r := b.result(t, b.add(spec(f.dir, nil), -1, ""))
	if r.Outcome != candor.AttemptDone || r.Exit != nil {
		t.Errorf("result %+v", r)
	}
	empty(t, filepath.Join(f.dir, "attempts"))
}

func TestAFencedAttemptDoesNotStart(t *testing.T) {
	b := newBrain()
	dir := t.TempDir()
	f := startIn(t, b, dir, nil)
	f.log.wait(t, "Joined the brain")
	if err := process.Fence(process.LeasePath(process.LeaseDir(dir, "worker-1"), 1), ""); err != nil {
		t.Fatal(err)
	}
	s := spec(dir, run("touch "+filepath.Join(dir, "ran")))
	r := b.result(t, b.add(s, -1, ""))
	if r.Outcome != candor.AttemptAborted || r.Reason.Code != candor.ReasonFenced {
		t.Errorf("result %+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("it ran")
	}
}

func TestFailedWorkDirectoriesAreBounded(t *testing.T) {
	b := newBrain()
	f := start(t, b, func(o *Options) { o.Slots, o.KeepFailed = 1, 2 })
	var dirs []string
	for range 4 {
		r := b.result(t, b.add(spec(f.dir, run("echo x > evidence; exit 1")), -1, ""))
		dirs = append(dirs, r.Dir)
	}
	f.stop <- "TERM"
	if err := f.over(); err != nil {
		t.Fatal(err)
	}
	for i, dir := range dirs {
		_, err := os.Stat(filepath.Join(dir, "work", "evidence"))
		if kept := i >= 2; kept != (err == nil) {
			t.Errorf("attempt %d: kept should be %v, but: %v", i, kept, err)
		}
	}
}
