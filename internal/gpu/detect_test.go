package gpu

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "rewrite what is expected in testdata")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is a machine on which the tools say what a testdata file holds:
// gpus, processes (nvidia-smi), rocm (rocm-smi), stderr, exit, and unknown,
// the columns that nvidia-smi refuses.
type scripted map[string]string

func (s scripted) Run(_ context.Context, name string, args ...string) (Output, error) {
	file := "rocm"
	if name == nvidiaSMI {
		file = "gpus"
		if strings.HasPrefix(args[0], "--query-compute-apps=") {
			file = "processes"
		}
	}
	out, installed := s[file]
	if !installed {
		return Output{}, fmt.Errorf("start %s: %w", name, exec.ErrNotFound)
	}
	for _, column := range strings.Fields(s["unknown"]) {
		if slices.Contains(strings.FieldsFunc(args[0], func(r rune) bool { return r == ',' || r == '=' }), column) {
			return Output{ExitCode: 2, Stdout: fmt.Appendf(nil, "Field %q is not a valid field to query.\n\n", column)}, nil
		}
	}
	exit, _ := strconv.Atoi(strings.TrimSpace(s["exit"]))
	if file == "processes" {
		exit = 0
	}
	return Output{Stdout: []byte(out), Stderr: []byte(s["stderr"]), ExitCode: exit}, nil
}

func TestRealOutputsAreUnderstood(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d cases, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			machine := scripted{}
			for _, f := range archive.Files {
				machine[f.Name] = string(f.Data)
			}
			inv, err := Detect(t.Context(), machine)
			if err != nil {
				t.Fatal(err)
			}
			got := describe(inv)
			if *update {
				keep(t, path, archive, got)
			}
			if diff := cmp.Diff(machine["want"], got); diff != "" && !*update {
				t.Errorf("rewrite with -update:\n%s", diff)
			}
			again, err := Sample(t.Context(), machine, inv)
			if err != nil {
				t.Fatal(err)
			}
			inv.Tools = slices.DeleteFunc(inv.Tools, func(tool Tool) bool { return tool.State == StateToolMissing })
			if diff := cmp.Diff(inv, again); diff != "" {
				t.Errorf("sampled otherwise than detected:\n%s", diff)
			}
		})
	}
}

// describe is an inventory for people to check: unknown readings as ?text.
func describe(inv Inventory) string {
	var b strings.Builder
	fmt.Fprintln(&b, inv.Sentence())
	for _, tool := range inv.Tools {
		fmt.Fprintf(&b, "tool %s %s driver=%s leftover=%q\n", tool.Name, tool.State, tool.Driver, tool.Leftover)
	}
	for _, g := range inv.GPUs {
		fmt.Fprintf(&b, "gpu %s %s %q at %s: total %s used %s free %s, %s °C, %s of %s W, load %s\n",
			show(g.Index), g.UUID, g.Name, g.BusID, show(g.MemoryTotal), show(g.MemoryUsed), show(g.MemoryFree),
			show(g.Temperature), show(g.PowerDraw), show(g.PowerLimit), show(g.Utilization))
		for _, p := range g.Processes {
			fmt.Fprintf(&b, "  process %d %q %s\n", p.PID, p.Name, show(p.Memory))
		}
	}
	for _, p := range inv.Unplaced {
		fmt.Fprintf(&b, "unplaced %d %q %s on %q\n", p.PID, p.Name, show(p.Memory), p.GPUUUID)
	}
	return b.String()
}

func show[T any](r Reading[T]) string {
	if !r.Known {
		return "?" + r.Raw
	}
	return fmt.Sprint(r.Value)
}

func keep(t *testing.T, path string, archive *txtar.Archive, want string) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(want)})
	if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestBareMachineIsNoError(t *testing.T) {
	inv, err := Detect(t.Context(), scripted{})
	if err != nil || len(inv.GPUs) != 0 || len(inv.Tools) != 2 {
		t.Fatalf("%+v, %v", inv, err)
	}
	if want := "no GPU tool is installed (nvidia-smi, rocm-smi): cpu tasks only"; inv.Sentence() != want {
		t.Errorf("says %q", inv.Sentence())
	}
	again, err := Sample(t.Context(), scripted{}, inv)
	if err != nil || len(again.Tools) != 0 {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	first, err := Sample(t.Context(), scripted{}, Inventory{})
	if diff := cmp.Diff(inv, first); diff != "" || err != nil {
		t.Errorf("first sample: %v\n%s", err, diff)
	}
}

func TestBothVendorsInOneMachine(t *testing.T) {
	inv, err := Detect(t.Context(), scripted{
		"gpus": "Failed to initialize NVML: Driver/library version mismatch\n", "exit": "18",
		"rocm": `{"card0": {"Card Series": "AMD Instinct MI100", "VRAM Total Memory (B)": "34342961152"}}`,
	})
	if err != nil || len(inv.GPUs) != 1 || inv.GPUs[0].Vendor != AMD {
		t.Fatalf("%+v, %v", inv, err)
	}
	if inv.Tools[0].State != StateDriverMismatch || inv.Tools[1].State != StateOK {
		t.Errorf("%+v", inv.Tools)
	}
}

func TestEndedContextIsTheOnlyError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Detect(ctx, scripted{}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("0, GPU-1, NVIDIA H100, 81559, 1, 2, 3, 4, 5, 6, 0:0, 580\n", "GPU-1, 1, a,b, 3\n")
	f.Add("ERR!,,,,,,,,,,,\nGPU-", ",,,\n[N/A], -1, x, 1e308")
	f.Fuzz(func(t *testing.T, cards, apps string) {
		gpus, leftover := parseGPUs(cards, gpuColumns())
		if n := strings.Count(cards, "\n") + 1; len(gpus)+len(leftover) > n {
			t.Fatalf("%d lines became %d cards and %d others", n, len(gpus), len(leftover))
		}
		for _, g := range gpus {
			bounded(t, g.MemoryTotal)
			bounded(t, g.MemoryUsed)
			if u := g.Utilization; u.Known && (u.Value < 0 || u.Value > 1) || g.UUID == "" {
				t.Fatalf("%+v", g)
			}
		}
		processes, _ := parseProcesses(apps, processColumns())
		for _, p := range processes {
			bounded(t, p.Memory)
			if p.PID <= 0 {
				t.Fatalf("%+v", p)
			}
		}
		if stray := place(gpus, processes); len(stray) > len(processes) {
			t.Fatalf("%d strays of %d", len(stray), len(processes))
		}
	})
}

func FuzzROCm(f *testing.F) {
	f.Add([]byte(`{"card0": {"Unique ID": "0x1", "GPU use (%)": 3}, "system": {"PID1": "a, 1, 2, 3, 4"}}`))
	f.Add([]byte(`warning {"card": 3}`))
	f.Fuzz(func(t *testing.T, out []byte) {
		gpus, processes, _, _ := parseROCm(out)
		for _, g := range gpus {
			bounded(t, g.MemoryTotal)
			if g.Vendor != AMD || !g.Index.Known {
				t.Fatalf("%+v", g)
			}
		}
		for _, p := range processes {
			bounded(t, p.Memory)
		}
	})
}

func bounded(t *testing.T, r Reading[int64]) {
	t.Helper()
	if r.Known && r.Value < 0 {
		t.Fatalf("%+v", r)
	}
}
