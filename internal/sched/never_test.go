package sched

import (
	"testing"

	"candor"
)

// TestNeverIsSaidOfOneAndOfSeveral with the verb that goes with each.
func TestNeverIsSaidOfOneAndOfSeveral(t *testing.T) {
	f := newFarm(t, Config{})
	f.join("worker-1")
	f.join("worker-2")
	f.join("worker-3", tools("ffmpeg", "whisper-cli"))
	want := Want{Class: candor.ClassLLM, Labels: []string{"nowhere"}, Tools: []string{"ffmpeg", "whisper"}}
	one, two := []string{"worker-1"}, []string{"worker-1", "worker-2"}
	for _, c := range []struct {
		code  candor.ReasonCode
		names []string
		text  string
	}{
		{candor.ReasonLabel, one, "worker-1 lacks label nowhere"},
		{candor.ReasonLabel, two, "worker-1, worker-2 lack label nowhere"},
		{candor.ReasonTool, one, "worker-1 lacks tool ffmpeg, whisper (did you mean whisper-cli?)"},
		{candor.ReasonTool, append(two, "worker-3"), "worker-1, worker-2 lack tool ffmpeg, whisper; worker-3 lacks tool whisper (did you mean whisper-cli?)"},
		{candor.ReasonWrongClass, one, "worker-1 does not take class llm"},
		{candor.ReasonWrongClass, two, "worker-1, worker-2 do not take class llm"},
		{candor.ReasonBusy, one, "worker-1 refuses it (" + string(candor.ReasonBusy) + ")"},
	} {
		if got := f.s.sayNever(c.code, &want, c.names); got != c.text {
			t.Errorf("got  %q\nwant %q", got, c.text)
		}
	}
}
