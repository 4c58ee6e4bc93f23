package cli

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"candor"
)

// ending is how a batch ended: one sentence, what failed, and where the outputs
// are that no later step took.
func (p page) ending(b batchReport) {
	took := ""
	if !b.FinishedAt.IsZero() {
		took = " in " + candor.ShortDuration(b.FinishedAt.Sub(b.CreatedAt))
	}
	fmt.Fprintf(p.w, "%s %s%s: %s\n", p.s.bold(clean(b.Name)), p.s.state(batchState(b.Batch)), took, countsText(b.Total, b.Counts))
	p.taskList("Failed", b.Failed, b.Counts[candor.TaskFailed])
	for _, path := range results(b.Batch) {
		fmt.Fprintln(p.w, clean(path))
	}
}

// flagged tells of what a person should look at though the tasks are complete:
// rows that failed, outputs that are alike.
func (a *app) flagged(b candor.Batch) {
	for _, st := range b.Steps {
		if st.Flag == nil {
			continue
		}
		a.talk("warning: %s", st.Flag.Text)
		if st.Flag.Next != "" {
			a.talk("hint: %s", st.Flag.Next)
		}
	}
}

// results are the absolute paths of the outputs of steps that no other step
// needs: what a batch was run for. A step that fans out has one for each item,
// so its directory stands for them.
func results(b candor.Batch) []string {
	needed := map[string]bool{}
	for _, s := range b.Steps {
		for _, n := range s.Needs {
			needed[n.Step] = true
		}
	}
	var paths []string
	for _, s := range b.Steps {
		if needed[s.Name] || b.Dir == "" || len(s.Outputs) == 0 || s.Counts[candor.TaskComplete] == 0 {
			continue
		}
		dir := filepath.Join(b.Dir, s.Name)
		if s.FansOut {
			paths = append(paths, dir+string(filepath.Separator))
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
			paths = append(paths, filepath.Join(dir, filepath.FromSlash(strings.TrimSuffix(s.Outputs[name], "/"))))
		}
	}
	return paths
}
