package plan

import (
	"strings"
	"testing"

	"candor"

	"github.com/google/go-cmp/cmp"
)

// stepNames are the steps of a submission, each with what it waits for.
func stepNames(sub *candor.Submission) []string {
	var names []string
	for _, s := range sub.Steps {
		name := s.Name
		for _, n := range s.Needs {
			name += " " + n.Step
			if n.Each {
				name += "[i]"
			}
		}
		names = append(names, name)
	}
	return names
}

const optional = `
inputs:
  model: {default: ""}
  loud: {type: bool, required: false}
  more: {type: list, required: false}
  folder: {type: path, required: false}
  size: {type: int, required: false}
tasks:
  scan: {run: "true", outputs: {list: list.json}}
  topics: {when: "{{ inputs.model }}", class: llm, model: "{{ inputs.model }}", foreach: {from: scan.list, chunk: 4}, prompt: "{{ item }}"}
  each: {when: "{{ inputs.model }}", foreach: topics, run: 'cat "$NEEDS_TOPICS_RESULTS"'}
  loud: {when: "{{ inputs.loud }}", run: "true"}
  more: {when: "{{ inputs.more }}", run: "true", needs: [loud], foreach: {items: "{{ inputs.more }}"}}
  folder: {when: "{{ inputs.folder }}", run: "true", foreach: {glob: "{{ inputs.folder }}/*"}}
  size: {when: "{{ inputs.size }}", run: "true", priority: "{{ inputs.size }}"}
  index: {run: "true", needs: [topics, each, loud, more, folder, size]}
`

func TestTasksAreLeftOutWhereAnInputIsEmpty(t *testing.T) {
	path := write(t, optional)
	for name, test := range map[string]struct {
		given map[string]string
		steps []string
		left  string
	}{
		"nothing given": {nil, []string{"scan", "index"}, "folder: folder; loud: loud; model: topics each; more: more; size: size"},
		"a model": {
			map[string]string{"model": "qwen2.5:7b"},
			[]string{"scan", "topics scan", "each topics[i]", "index topics each"},
			"folder: folder; loud: loud; more: more; size: size",
		},
		"empty ones": {
			map[string]string{"model": "", "loud": "false", "more": "[]"},
			[]string{"scan", "index"}, "folder: folder; loud: loud; model: topics each; more: more; size: size",
		},
		"all": {
			map[string]string{"model": "m", "loud": "true", "more": "a,b", "folder": t.TempDir(), "size": "0"},
			[]string{"scan", "topics scan", "each topics[i]", "loud", "more loud", "folder", "size", "index topics each loud more folder size"}, "",
		},
		"one without what it needs": {map[string]string{"more": "a"}, []string{"scan", "more", "index more"}, "folder: folder; loud: loud; model: topics each; size: size"},
	} {
		t.Run(name, func(t *testing.T) {
			var left []string
			sub, err := Load(path, test.given, Options{
				Warn:    func(e *Error) { t.Error(e) },
				LeftOut: func(input string, tasks []string) { left = append(left, input+": "+strings.Join(tasks, " ")) },
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.steps, stepNames(sub)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if got := strings.Join(left, "; "); got != test.left {
				t.Errorf("left out: %s, want %s", got, test.left)
			}
			if err := sub.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A plan that is refused tells what is wrong, and nothing beside it.
func TestNothingIsSaidOfWhatIsLeftOutOfAWrongPlan(t *testing.T) {
	path := write(t, optional+"  wrong: {run: 'true', timeout: 5}\n")
	_, err := Load(path, nil, Options{LeftOut: func(input string, tasks []string) { t.Errorf("%s: %v", input, tasks) }})
	if err == nil || strings.Count(err.Error(), "plan.yaml:") != 1 {
		t.Error(err)
	}
}
