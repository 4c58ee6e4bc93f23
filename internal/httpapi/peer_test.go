package httpapi_test

import (
	"os"
	"os/user"
	"runtime"
	"testing"

	"candor"
	"candor/internal/sched"
)

// TestWhoAsksIsKnown: a change says who made it, whether or not the request does.
func TestWhoAsksIsKnown(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	self := me.Username + "@" + host
	if runtime.GOOS != "linux" {
		self = "local"
	}
	for name, c := range map[string]struct {
		rig  *rig
		role candor.Role
		want string
	}{
		"unix socket": {start(t, "unix://"+t.TempDir()+"/s", nil), "", self},
		"loopback":    {start(t, "", nil), "", "127.0.0.1"},
		"token":       {start(t, "", tokens(t)), candor.RoleOperator, "operator@127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			cl := c.rig.client(t, c.role)
			if _, err := cl.Submit(t.Context(), candor.Submission{Name: "library", Steps: []candor.Step{{Name: "count", Class: candor.ClassCPU, Run: "wc"}}}); err != nil {
				t.Fatal(err)
			}
			for _, by := range []string{"", "anna"} {
				if _, err := cl.Pause(t.Context(), candor.ChangeRequest{Targets: []string{"all"}, By: by}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := cl.OrderModel(t.Context(), candor.OrderRequest{Kind: candor.OrderLoad, Model: "m", Workers: []string{"worker-1"}}); err != nil {
				t.Fatal(err)
			}
			var said []string
			c.rig.brain.mu.Lock()
			defer c.rig.brain.mu.Unlock()
			for _, cmd := range c.rig.brain.seen {
				switch cmd := cmd.(type) {
				case sched.Submit:
					said = append(said, cmd.By)
				case sched.Pause:
					said = append(said, cmd.Req.By)
				case sched.OrderModel:
					said = append(said, cmd.Req.By)
				}
			}
			if len(said) != 4 || said[0] != c.want || said[1] != c.want || said[2] != "anna" || said[3] != c.want {
				t.Errorf("by %q, want %q", said, c.want)
			}
		})
	}
}
