//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor"
	"candor/internal/simrt"
)

// standIns are programs that do as the real ones are told, and say what they are.
var standIns = map[string]string{
	"ffmpeg": `#!/bin/sh
# A stand-in for ffmpeg: what it writes is the name of what it was given.
set -eu
while [ $# -gt 1 ]; do
	case $1 in -i) from=$2 ;; esac
	shift
done
printf 'STAND-IN sound of %s' "$from" >"$1"
`,
	"whisper-cli": `#!/bin/sh
# A stand-in for whisper.cpp: what it hears is what the other stand-in wrote.
set -eu
while [ $# -gt 0 ]; do
	case $1 in
	--model) [ -f "$2" ] ;;
	--file) from=$2 ;;
	--output-file) to=$2 ;;
	esac
	shift
done
{ printf 'STAND-IN transcript: '; cat "$from"; } >"$to.txt"
`,
}

// TestVideoTopics runs the job of the incident (docs/architecture.md) with stand-ins for ffmpeg and
// whisper.cpp, and a simulated card and model server.
func TestVideoTopics(t *testing.T) {
	t.Parallel()
	f := newFarm(t, swift())
	for name, text := range standIns {
		if err := os.Chmod(f.write("bin/"+name, text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f.vars = []string{"PATH=" + filepath.Join(f.dir, "bin") + string(filepath.ListSeparator) + filepath.Dir(program) + string(filepath.ListSeparator) + os.Getenv("PATH")}
	names := []string{"a talk.mp4", "it's \"quoted\" $(x).wav", "<b>more.MOV"}
	for _, name := range append(names, "notes.txt") {
		f.write("recordings/sub/"+name, "not a recording")
	}
	f.write("ggml-stand-in.bin", "")
	plan, err := filepath.Abs("../../examples/video-topics/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f.brain()
	f.serves("gpu-0", simulate(t, simrt.Options{Slots: 1, Models: []simrt.Model{{Name: "qwen2.5:7b", Size: 5 << 30, PerToken: 64 << 10, Context: 32768, Length: 10}}}), "--gpu", "simulated:0:24GiB")

	var reply candor.SubmitReply
	f.candor("submit", plan, "-i", "folder=recordings", "-i", "whisper_model=ggml-stand-in.bin", "--json").ok().json(&reply)
	b := f.ends(reply.Batch)
	if b.Outcome != candor.OutcomeSucceeded {
		t.Fatalf("the batch ended with %v", b.Counts)
	}
	for i := range names {
		if said := f.read(filepath.Join(b.Dir, "transcript", fmt.Sprintf("%05d", i), "transcript.txt")); !strings.Contains(said, "STAND-IN sound of "+f.dir) {
			t.Errorf("recording %d: %q", i, said)
		}
	}
	f.everyRowOnce(b, "topics", len(names))
	page := f.read(filepath.Join(b.Dir, "overview", "overview.html"))
	for _, want := range []string{"3 recordings, read by <bdi>qwen2.5:7b</bdi>. The model was <b>simulated</b>", "<h2><bdi>a talk.mp4</bdi></h2>", "&lt;b&gt;more.MOV", "it&#39;s &quot;quoted&quot; $(x).wav"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %s:\n%s", want, page)
		}
	}
	if strings.Contains(page, "<b>more") {
		t.Error("a name became markup")
	}
}

// TestVideoTopicsSaysWhatIsMissing: without the programs nobody is asked, and why
// names them.
func TestVideoTopicsSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	f := newFarm(t, settings{"worker.tools": `["ffmpeg-that-is-not-here"]`})
	f.write("recordings/a.mp4", "")
	f.write("ggml.bin", "")
	plan, err := filepath.Abs("../../examples/video-topics/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f.candor("run", plan, "-i", "folder=recordings", "-i", "whisper_model=ggml.bin").exits(5).says("ffmpeg")
	f.nothingLeft()
}
