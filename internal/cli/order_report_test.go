package cli

import (
	"bytes"
	"testing"

	"candor"
)

// Only a pull that went well found the model there already.
func TestAFailedPullChangedNothingOfUse(t *testing.T) {
	for state, want := range map[candor.TaskState]bool{candor.TaskFailed: false, candor.TaskComplete: true} {
		var out bytes.Buffer
		page{w: &out}.orderResult(candor.OrderPull, orderReport{State: state, Result: &candor.OrderResult{}})
		if told := bytes.Contains(out.Bytes(), []byte("it was there in this version already")); told != want {
			t.Errorf("%s pull: %q", state, out.String())
		}
	}
}

func TestAModelsNameIsNoBeginningOfAnID(t *testing.T) {
	for _, c := range []struct {
		t    target
		ref  string
		want bool
	}{
		{target{worker: "d"}, "d", true},
		{target{task: taskA}, taskA.String(), true},
		{target{task: taskA}, taskA.String()[:3], false},
		{target{batch: batchA}, batchA.String(), true},
		{target{batch: batchA}, "d", false},
	} {
		if got := whole(c.t, c.ref); got != c.want {
			t.Errorf("%+v named %q: whole is %v", c.t, c.ref, got)
		}
	}
}
