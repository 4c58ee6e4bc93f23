package candor_test

import (
	"os"
	"strings"
	"testing"

	"candor/internal/house"
)

// rooms is the table of import directions: which package may import which, and
// why. Everybody may import the root package; test files may import anything.
func rooms() []house.Room {
	return []house.Room{
		{Path: ".", StandardOnly: true,
			Why: "the vocabulary is everybody's: what it imports, everybody imports"},
		{Path: "internal/sched", StandardOnly: true,
			Why: "deciding is pure, so that it can be simulated, replayed and explained"},
		{Path: "internal/clock", StandardOnly: true,
			Why: "the only door to the time; nothing stands below it"},
		{Path: "internal/record", May: []string{"internal/clock"},
			Why: "a sink for log records, it knows nobody who writes them"},
		{Path: "internal/durable", StandardOnly: true,
			Why: "how a small file survives a power failure is said once, for all who write some"},
		{Path: "internal/process", May: []string{"internal/clock", "internal/durable"},
			Why: "one child process, whoever's it is"},
		{Path: "internal/attemptdir", StandardOnly: true,
			Why: "where attempts leave their files is said once, for the worker that makes them and the brain that outlives them"},
		{Path: "internal/gpu", May: []string{"internal/clock"},
			Why: "reads the machine, and judges nothing"},
		{Path: "internal/config", May: []string{},
			Why: "settings are values; who uses them depends on it, not it on them"},
		{Path: "internal/schema", May: []string{},
			Why: "one judgement of the schemas of answers, for the plans that hold them and the rows that are checked by them"},
		{Path: "internal/plan", May: []string{"internal/schema"},
			Why: "a plan is checked without a brain: validate works offline"},
		{Path: "internal/store", May: []string{"internal/sched"},
			Why: "a seam: it names what a store does with the changes that sched hands out, and no store"},
		{Path: "internal/store/...", May: []string{"internal/store", "internal/sched", "internal/clock"},
			Why: "stores know the seam, not who uses it, nor each other"},
		{Path: "internal/brain", May: []string{"internal/sched", "internal/store", "internal/record", "internal/clock"},
			Why: "the loop knows the seam of the store, so that any store can stand behind it"},
		{Path: "internal/httpapi", May: []string{"internal/httpapi/wire", "internal/sched", "internal/store", "internal/record", "internal/clock"},
			Why: "turns requests into commands and reads; the brain that takes them is an interface of its own"},
		{Path: "internal/httpapi/wire", May: []string{},
			Why: "what both ends of the wire agree on belongs to neither"},
		{Path: "client", May: []string{"internal/httpapi/wire", "internal/clock"},
			Why: "others build on it; it brings nothing of the server along"},
		{Path: "internal/worker", May: []string{"client", "internal/process", "internal/attemptdir", "internal/modelhost", "internal/rows", "internal/runtime", "internal/gpu", "internal/durable", "internal/record", "internal/clock"},
			Why: "a worker knows the brain by its HTTP API only, since it may live on another machine"},
		{Path: "internal/runtime", May: []string{},
			Why: "a seam: it names what a worker needs of a model server, and no server"},
		{Path: "internal/runtime/...", May: []string{"internal/runtime", "internal/runtime/exchange", "internal/runtime/openaiwire", "internal/clock"},
			Why: "adapters know the seam, one server's API, and below it what several servers share: an HTTP exchange, OpenAI's wire; processes are started by who uses them"},
		{Path: "internal/runtime/realtest", May: []string{"internal/process", "internal/tinygguf", "internal/clock"},
			Why: "starts and breaks real servers for tests; it speaks to none of them"},
		{Path: "internal/modelhost", May: []string{"internal/runtime", "internal/runtime/...", "internal/process", "internal/durable", "internal/gpu", "internal/record", "internal/clock"},
			Why: "keeps a model server for a worker; it knows neither the brain nor who asks for what"},
		{Path: "internal/rows", May: []string{"internal/runtime", "internal/schema", "internal/durable", "internal/clock"},
			Why: "asks whichever model server it is lent; it knows no brain, no process, and not who lends"},
		{Path: "internal/simrt", May: []string{"internal/clock"},
			Why: "plays a server over HTTP; it knows the protocol, not the adapter that it is there to test"},
		{Path: "internal/tinygguf", StandardOnly: true,
			Why: "makes models for tests against servers that are not ours"},
		{Path: "internal/supervise", May: []string{"internal/process", "internal/record", "internal/clock"},
			Why: "restarts processes without knowing what they do"},
		{Path: "internal/daemon", May: []string{"internal/brain", "internal/httpapi", "internal/store/...", "internal/sched", "internal/attemptdir", "internal/record", "internal/clock"},
			Why: "puts the brain's process together, for the CLI, benchmarks and tests alike; it knows no worker"},
		{Path: "internal/cli", May: []string{"client", "internal/..."},
			Why: "the one place where the parts are put together"},
		{Path: "internal/house", StandardOnly: true,
			Why: "checks the tree from outside, so that no package can break its own judge"},
		{Path: "cmd/candor", May: []string{"internal/cli"},
			Why: "main is a few lines; tests call what it calls"},
		{Path: "test/e2e", May: []string{},
			Why: "looks at the product from outside; its tests may import what they let go wrong"},
		{Path: "scripts", StandardOnly: true,
			Why: "run by the test script before anything else is known to work"},
		{Path: "bench/river", May: []string{},
			Why: "a module of its own: River is measured, not used"},
		{Path: "bench/internal/program", StandardOnly: true,
			Why: "flags, exit and profile of the benchmarks; what they measure is their own"},
		{Path: "bench/...", May: []string{"bench/internal/program", "client", "internal/sched", "internal/brain", "internal/store/...", "internal/daemon", "internal/record", "internal/clock"},
			Why: "measures what users get: the client outside, public constructors inside"},
		{Path: "bench/overhead", May: []string{"bench/internal/program", "client", "internal/cli", "internal/runtime/ollama", "internal/tinygguf"},
			Why: "is candor and its model server by turns, to measure whole processes with nothing built before"},
	}
}

// long lists the Go files that may exceed the limits.
func long() []house.Exception {
	return nil
}

// sleepers lists the test files that may sleep.
func sleepers() []house.Exception {
	return []house.Exception{
		{Path: "internal/process/child_test.go", Why: "the child process that is to be ended, not the test, sleeps"},
		{Path: "internal/process/supervise_linux_test.go", Why: "what a process used between two looks needs time between them"},
		{Path: "internal/supervise/harness_test.go", Why: "the children that are to be ended, not the test, sleep"},
		{Path: "test/e2e/chaos_test.go", Why: "pauses of their own length between kills are what chaos is, and a brain is away for longer than a lease"},
	}
}

// folders are the folders in which documents name files.
func folders() []string {
	return []string{".ci", "bench", "client", "cmd", "docs", "examples", "internal", "scripts", "test", "web"}
}

// current tells whether a document speaks of the tree as it is. The changelog
// and decisions speak of the past.
func current(p string) bool {
	return p != "CHANGELOG.md" && !strings.HasPrefix(p, "docs/adr/")
}

// commandList holds every command, one to a line by its words ("worker
// drain"). A test of internal/cli keeps it equal to the program.
const commandList = "internal/cli/testdata/commands.golden"

// TestEveryRoomIsOnTheMap: whoever reads docs/architecture.md finds every room.
func TestEveryRoomIsOnTheMap(t *testing.T) {
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rooms() {
		path := strings.TrimSuffix(r.Path, "/...")
		if path != "." && !strings.HasPrefix(path, "bench/") && !strings.Contains(string(text), "`"+path+"`") {
			t.Errorf("docs/architecture.md says nothing of %s", path)
		}
	}
}

// TestEveryBenchmarkIsDescribed: how to run it, and what it gave.
func TestEveryBenchmarkIsDescribed(t *testing.T) {
	text, err := os.ReadFile("bench/README.md")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("bench")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != "internal" && !strings.Contains(string(text), "\n## "+e.Name()+"\n") {
			t.Errorf("bench/README.md has no section on %s", e.Name())
		}
	}
}

func TestLaws(t *testing.T) {
	tree, err := house.Load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	laws := []struct {
		name     string
		findings []string
	}{
		{"every package has one package comment", house.PackageComments(tree)},
		{"imports follow the table of directions", house.Directions(tree, rooms())},
		{"deciding is pure", house.Impurities(tree, "internal/sched")},
		{"a file holds one idea", house.Lengths(tree, 400, 600, long())},
		{"no path of one machine", house.MachinePaths(tree, []string{"home", "root", "Users", "work", "farm"})},
		{"no test is skipped", house.Skips(tree)},
		{"no test sleeps", house.Sleeps(tree, sleepers())},
		{"decisions are numbered without gaps", house.Numbering(tree, "docs/adr")},
		{"documents name files that exist", house.DeadPaths(tree, current, folders())},
		{"documents name commands that exist", house.DeadCommands(tree, current, commands(t))},
		{"the front door is complete", house.Missing(tree, []string{
			"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", ".ci/run", "scripts/test.sh", "docs/architecture.md",
		})},
	}
	for _, law := range laws {
		t.Run(law.name, func(t *testing.T) {
			for _, finding := range law.findings {
				t.Error(finding)
			}
		})
	}
}

// commands reads the list of commands.
func commands(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(commandList)
	if err != nil {
		t.Errorf("%v: internal/cli writes its commands there, one to a line", err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}
