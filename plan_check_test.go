package candor

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// goodSubmission is one of every kind: a manifest, shared items, plain items.
func goodSubmission() *Submission {
	return &Submission{
		Name: "library",
		Steps: []Step{
			{Name: "scan", Class: ClassCPU, Run: "true", Outputs: map[string]string{"manifest": "scan.json"}},
			{Name: "passages", Class: ClassCPU, Run: "true", Env: map[string]string{"INPUT_FOLDER": "/x"},
				Needs: []Need{{Step: "scan"}}, Each: &Each{From: &Manifest{Step: "scan", Output: "manifest", Path: "files"}},
				Outputs: map[string]string{"passages": "out/passages.json"}},
			{Name: "topics", Class: ClassLLM, Model: "qwen2.5:7b", Argv: []string{"./topics"},
				Needs: []Need{{Step: "passages", Each: true}}, Each: &Each{Same: "passages"}},
			{Name: "list", Class: ClassScript, Each: &Each{Items: []json.RawMessage{json.RawMessage("1"), json.RawMessage(`"b"`)}}},
			{Name: "twice", Class: ClassScript, Needs: []Need{{Step: "list", Each: true, AllowFailed: true}}, Each: &Each{Same: "list"}},
			{Name: "none", Class: ClassCPU, Each: &Each{Glob: "*.md"}},
			{Name: "index", Class: ClassCPU, Run: "true", Needs: []Need{{Step: "topics"}, {Step: "twice"}}, Priority: -MaxPriority, Retries: MaxRetries},
		},
	}
}

func TestValidateAccepts(t *testing.T) {
	if err := goodSubmission().Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestValidateRefuses(t *testing.T) {
	step := func(name string, change func(*Step)) func(*Submission) {
		return func(s *Submission) {
			i := slices.IndexFunc(s.Steps, func(s Step) bool { return s.Name == name })
			change(&s.Steps[i])
		}
	}
	items := func(list ...string) *Each {
		e := &Each{}
		for _, i := range list {
			e.Items = append(e.Items, json.RawMessage(i))
		}
		return e
	}
	tests := map[string]struct {
		change func(*Submission)
		want   string
	}{
		"no name":           {func(s *Submission) { s.Name = "" }, "no name for a batch"},
		"name of two lines": {func(s *Submission) { s.Name = "a\nb" }, "no name for a batch"},
		"long key":          {func(s *Submission) { s.Key = strings.Repeat("k", 201) }, "no key"},
		"negative expiry":   {func(s *Submission) { s.Expires = -1 }, "expires is negative"},
		"zero byte in path": {func(s *Submission) { s.PlanDir = "a\x00" }, "plan's path"},
		"inputs a list":     {func(s *Submission) { s.Inputs = json.RawMessage("[]") }, "not a JSON object"},
		"no steps":          {func(s *Submission) { s.Steps = nil }, "no step"},
		"too many steps":    {func(s *Submission) { s.Steps = make([]Step, MaxSteps+1) }, "are more than"},
		"bad name":          {step("scan", func(s *Step) { s.Name = "../scan" }), "not a name"},
		"two of one name":   {step("none", func(s *Step) { s.Name = "list" }), "two steps of this name"},
		"one name in env": {func(s *Submission) {
			s.Steps = append(s.Steps, Step{Name: "a-b", Class: ClassCPU}, Step{Name: "a_b", Class: ClassCPU})
		}, "the same in environment variables: A_B"},
		"bad class":            {step("scan", func(s *Step) { s.Class = "gpu" }), "not a class"},
		"llm without model":    {step("topics", func(s *Step) { s.Model = "" }), "names its model"},
		"run and argv":         {step("topics", func(s *Step) { s.Run = "x" }), "one of them"},
		"no program":           {step("topics", func(s *Step) { s.Argv = []string{""} }), "no program"},
		"long run":             {step("scan", func(s *Step) { s.Run = strings.Repeat("x", MaxArgument+1) }), "at most"},
		"zero byte in run":     {step("scan", func(s *Step) { s.Run = "a\x00b" }), "without zero bytes"},
		"bad env name":         {step("scan", func(s *Step) { s.Env = map[string]string{"A=B": ""} }), "cannot be the name"},
		"own env name":         {step("scan", func(s *Step) { s.Env = map[string]string{"CANDOR_TASK_ID": ""} }), "set by candor itself"},
		"bad env value":        {step("scan", func(s *Step) { s.Env = map[string]string{"A": "\xff"} }), "the value of A"},
		"negative timeout":     {step("scan", func(s *Step) { s.Timeout = -1 }), "negative time"},
		"many retries":         {step("scan", func(s *Step) { s.Retries = 101 }), "not within 0 and 100"},
		"high priority":        {step("scan", func(s *Step) { s.Priority = 1001 }), "not within -1000 and 1000"},
		"negative vram":        {step("scan", func(s *Step) { s.VRAM = -1 }), "negative vram"},
		"model of two lines":   {step("topics", func(s *Step) { s.Model = "a\nb" }), "one line"},
		"empty label":          {step("scan", func(s *Step) { s.Requires.Labels = []string{""} }), "label or tool"},
		"output climbs out":    {step("scan", func(s *Step) { s.Outputs["x"] = "../x" }), "stay inside"},
		"output absolute":      {step("scan", func(s *Step) { s.Outputs["x"] = "/x" }), "stay inside"},
		"output not clean":     {step("scan", func(s *Step) { s.Outputs["x"] = "a//x" }), "stay inside"},
		"output is all":        {step("scan", func(s *Step) { s.Outputs["x"] = "." }), "stay inside"},
		"output of candor":     {step("scan", func(s *Step) { s.Outputs["x"] = ".lease" }), "stay inside"},
		"output of windows":    {step("scan", func(s *Step) { s.Outputs["x"] = `..\x` }), "stay inside"},
		"output name":          {step("scan", func(s *Step) { s.Outputs["X"] = "x" }), "no name for an output"},
		"outputs of one path":  {step("scan", func(s *Step) { s.Outputs["x"] = "scan.json" }), "the same file"},
		"outputs of one env":   {step("scan", func(s *Step) { s.Outputs["a-b"], s.Outputs["a_b"] = "1", "2" }), "same in environment"},
		"unknown need":         {step("index", func(s *Step) { s.Needs = append(s.Needs, Need{Step: "ghost"}) }), "not among the steps before"},
		"need of a later":      {step("scan", func(s *Step) { s.Needs = []Need{{Step: "index"}} }), "not among the steps before"},
		"need of itself":       {step("scan", func(s *Step) { s.Needs = []Need{{Step: "scan"}} }), "not among the steps before"},
		"need twice":           {step("index", func(s *Step) { s.Needs = []Need{{Step: "scan"}, {Step: "scan"}} }), "twice"},
		"each without items":   {step("index", func(s *Step) { s.Needs[0].Each = true }), "item by item"},
		"each of other counts": {step("twice", func(s *Step) { s.Each = items("1") }), "item by item"},
		"each of other source": {step("twice", func(s *Step) { s.Needs = append(s.Needs, Need{Step: "passages", Each: true}) }), "item by item"},
		"two sources":          {step("list", func(s *Step) { s.Each.Same = "scan" }), "fans out over one thing"},
		"same without need":    {step("topics", func(s *Step) { s.Needs = nil }), "so needs it"},
		"same without items":   {step("twice", func(s *Step) { s.Each.Same = "scan"; s.Needs = []Need{{Step: "scan"}} }), "which has none"},
		"manifest no need":     {step("passages", func(s *Step) { s.Needs = nil }), "so needs it"},
		"manifest may fail":    {step("passages", func(s *Step) { s.Needs[0].AllowFailed = true }), "cannot allow"},
		"manifest of many":     {step("scan", func(s *Step) { s.Each = items("1") }), "for each of its own items"},
		"manifest undeclared":  {step("passages", func(s *Step) { s.Each.From.Output = "x" }), "declares no such output"},
		"manifest path":        {step("passages", func(s *Step) { s.Each.From.Path = "a\nb" }), "not a dotted path"},
		"item not JSON":        {step("list", func(s *Step) { s.Each = items("{") }), "item 0: not JSON"},
		"item not UTF-8":       {step("list", func(s *Step) { s.Each = items("\"\xff\"") }), "item 0: not JSON"},
		"item with zero":       {step("list", func(s *Step) { s.Each = items("1", `"\\\u0000"`) }), "item 1: holds a zero byte"},
		"item too large":       {step("list", func(s *Step) { s.Each = items(`"` + strings.Repeat("x", MaxItemSize) + `"`) }), "that an item may have"},
		"two needs, one env": {func(s *Submission) {
			s.Steps = append(s.Steps,
				Step{Name: "a", Class: ClassCPU, Outputs: map[string]string{"b_c": "x"}},
				Step{Name: "a_b", Class: ClassCPU, Outputs: map[string]string{"c": "x"}},
				Step{Name: "z", Class: ClassCPU, Needs: []Need{{Step: "a"}, {Step: "a_b"}}})
		}, "would be $NEEDS_A_B_C"},
		"output called dir": {step("topics", func(s *Step) { s.Outputs = map[string]string{"dir": "x"} }), "would be $NEEDS_TOPICS_DIR"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := goodSubmission()
			test.change(s)
			err := s.Validate()
			if err == nil {
				t.Fatal("accepted")
			}
			if CodeOf(err) != CodeInvalid || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%s: %v\nwant: %s", CodeOf(err), err, test.want)
			}
		})
	}
}

func TestValidItemKeepsBackslashes(t *testing.T) {
	if err := ValidItem(json.RawMessage(`"\\u0000"`)); err != nil {
		t.Fatal(err)
	}
}

func TestValidateCountsTasks(t *testing.T) {
	s := &Submission{Name: "large", Steps: []Step{{Name: "first", Class: ClassCPU, Each: &Each{}}}}
	for range MaxTasks/2 + 1 {
		s.Steps[0].Each.Items = append(s.Steps[0].Each.Items, json.RawMessage("0"))
	}
	s.Steps = append(s.Steps, Step{Name: "second", Class: ClassCPU, Needs: []Need{{Step: "first", Each: true}}, Each: &Each{Same: "first"}})
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "that a batch may hold") {
		t.Fatal(err)
	}
}
