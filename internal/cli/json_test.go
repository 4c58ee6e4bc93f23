package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"

	"candor"
)

// TestJSONShapes freezes what programs read: the JSON of every read that tells of
// one thing. Lists have theirs in TestLists. A key that goes, or means another
// thing, breaks somebody's script; one that comes does not.
func TestJSONShapes(t *testing.T) {
	model := sampleModels()[1].Name
	plan := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(plan, []byte("name: library\ntasks:\n  a: {run: 'true'}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ended := sampleEnded()
	ended.ID = batchB
	b := newFakeBrain(t, map[string]any{
		"GET /v1/resolve/batch":    candor.Refs{Batches: []candor.BatchID{batchA}},
		"GET /v1/resolve/ended":    candor.Refs{Batches: []candor.BatchID{batchB}},
		"GET /v1/resolve/task":     candor.Refs{Tasks: []candor.TaskID{taskA}},
		"GET /v1/resolve/worker-1": candor.Refs{Workers: []string{"worker-1"}},
		"GET /v1/resolve/" + model: candor.Refs{},

		"GET /healthz":                    map[string]any{},
		"GET /v1/status":                  sampleStatus(),
		"GET /v1/models":                  sampleModels(),
		"GET /v1/workers":                 []candor.Worker{sampleWorker()},
		"GET /v1/tasks/" + taskA.String(): sampleFailed(),
		"GET /v1/tasks/" + taskA.String() + "/attempts": sampleAttempts(),
		"GET /v1/batches/" + batchA.String():            sampleBatch(),
		"GET /v1/batches/" + batchB.String():            ended,
		"GET /v1/tasks":                                 []candor.Task{sampleFailed()},
		"GET /v1/batches/" + batchA.String() + "/tasks": []candor.Task{sampleFailed()},
		"GET /v1/why/" + taskA.String():                 sampleWhyTask(),
		"GET /v1/why/worker-1":                          sampleWhyWorker(),
		"GET /v1/batches/" + batchB.String() + "/tasks": []candor.Task{sampleFailed()},
		"POST /v1/preview":                              samplePreview(),
		"POST /v1/batches":                              candor.SubmitReply{Batch: batchB, Tasks: 1},
	})
	for name, call := range map[string]struct {
		args []string
		code int
	}{
		"show-batch":  {[]string{"show", "batch"}, exitOK},
		"show-task":   {[]string{"show", "task"}, exitOK},
		"show-worker": {[]string{"show", "worker-1"}, exitOK},
		"status":      {[]string{"status"}, exitOK},
		"why-task":    {[]string{"why", "task"}, exitOK},
		"why-worker":  {[]string{"why", "worker-1"}, exitOK},
		"why-model":   {[]string{"why", model}, exitOK},
		"preview":     {[]string{"preview", plan}, exitUnplaceable},
		"wait":        {[]string{"wait", "ended"}, exitTasksFailed},
		"wait-task":   {[]string{"wait", "task"}, exitTasksFailed},
		"run":         {[]string{"run", plan}, exitTasksFailed},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCall(t, map[string]string{"CANDOR_BRAIN_URL": b.URL})
			if code := c.run(t.Context(), append(call.args, "--json")); code != call.code {
				t.Fatalf("exit code %d, want %d: %s", code, call.code, c.err.String())
			}
			golden(t, filepath.Join("testdata", "json", name+".golden"), c.out.String())
		})
	}
}

// What doctor finds depends on the machine, how it is said does not.
func TestJSONShapeOfFindings(t *testing.T) {
	c := newCall(t, nil)
	cmd := &cobra.Command{Use: "x"}
	addOutput(cmd)
	if err := cmd.Flags().Set("json", "true"); err != nil {
		t.Fatal(err)
	}
	findings := []finding{ok("config", "read %s", "candor.yaml"), warn("brain", "candor up", "no brain answers"), fail("state", "chown ann s", "%s cannot be written", "s")}
	if err := c.showFindings(cmd, findings); err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "json", "doctor.golden"), c.out.String())
}

// TestSchemaOfSettings freezes what editors check configuration files by.
func TestSchemaOfSettings(t *testing.T) {
	c := newCall(t, nil)
	if code := c.run(t.Context(), []string{"schema", "config"}); code != exitOK {
		t.Fatalf("exit code %d: %s", code, c.err.String())
	}
	golden(t, filepath.Join("testdata", "json", "schema-config.golden"), c.out.String())
}
