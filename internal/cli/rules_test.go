package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"candor/internal/modelhost"
	"candor/internal/sched"
	"candor/internal/supervise"
	"candor/internal/worker"
)

// Each package has defaults for whoever uses it without settings; the settings
// must not say something else.
func TestSettingsHaveTheDefaultsOfTheirUsers(t *testing.T) {
	c := newCall(t, nil)
	cfg, err := c.config(c.root())
	if err != nil {
		t.Fatal(err)
	}
	rules := rulesOf(cfg.Config).Sched
	rules.BatchRoot = ""
	if diff := cmp.Diff(sched.Defaults(), rules); diff != "" {
		t.Errorf("rules (-sched +config):\n%s", diff)
	}
	type others struct{ Grace, KillGrace, First, Longest, Stable, Patience any }
	want := others{worker.DefaultGrace, worker.DefaultKillGrace, supervise.DefaultFirst, supervise.DefaultLongest, supervise.DefaultStable, supervise.DefaultGrace}
	got := others{cfg.Worker.Grace.D(), cfg.Worker.KillGrace.D(), cfg.Supervise.Backoff.D(), cfg.Supervise.BackoffMax.D(), cfg.Supervise.Stable.D(), cfg.Supervise.Grace.D()}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("worker and supervisor (-theirs +config):\n%s", diff)
	}
	type models struct{ Slots, Context, Load, Token any }
	hosts := models{modelhost.DefaultSlots, modelhost.DefaultContext, modelhost.DefaultLoadTimeout, modelhost.DefaultTokenPatience}
	if diff := cmp.Diff(hosts, models{cfg.Models.Parallel, cfg.Models.Context, cfg.Models.LoadTimeout.D(), cfg.Models.Patience.D()}); diff != "" {
		t.Errorf("model servers (-modelhost +config):\n%s", diff)
	}
	if cfg.Worker.KeepFailed != worker.DefaultKeepFailed {
		t.Errorf("keep_failed is %d, the worker's default %d", cfg.Worker.KeepFailed, worker.DefaultKeepFailed)
	}
}
