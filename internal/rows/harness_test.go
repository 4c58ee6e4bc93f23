package rows_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"candor"
	"candor/internal/clock"
	"candor/internal/rows"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
	"candor/internal/simrt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hasty is the system's clock for those who do not like to wait.
type hasty struct{ clock.Clock }

func (h hasty) Sleep(ctx context.Context, d time.Duration) error {
	return h.Clock.Sleep(ctx, d/200)
}

// desk lends slots of one simulated server.
type desk struct {
	sim    *simrt.Server
	client *ollama.Client
	loan   rows.Loan
	slots  chan struct{}

	mu       sync.Mutex
	lent     int     // guarded by mu
	most     int     // guarded by mu: lent at once
	returned []error // guarded by mu
	refusals []error // guarded by mu: of the next loans
	tells    int     // guarded by mu: slots waited for
}

const tiny = "tiny:latest"

// newDesk starts a server over a real socket, with one model loaded.
func newDesk(t *testing.T, slots int, m simrt.Model) *desk {
	t.Helper()
	m.Name, m.Size = tiny, 1<<20
	sim := simrt.New(simrt.Options{Clock: clock.System(), VRAM: int64(candor.GiB), RAM: int64(candor.GiB), Slots: slots, Models: []simrt.Model{m}})
	web := httptest.NewServer(sim)
	client := ollama.New(ollama.Options{
		URL: web.URL, Clock: clock.System(), CallLimit: 500 * time.Millisecond, Vouch: time.Nanosecond,
		Patience: runtime.Patience{First: 20 * time.Second, Next: 400 * time.Millisecond},
	})
	t.Cleanup(func() {
		client.Close()
		web.CloseClientConnections()
		web.Close()
	})
	settings := runtime.Settings{Context: 1024}
	change, err := client.Load(t.Context(), runtime.LoadRequest{Model: tiny, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{sim: sim, client: client, slots: make(chan struct{}, slots)}
	d.loan = rows.Loan{Server: client, Model: tiny, Digest: change.After[0].Digest, Settings: settings, Simulated: true}
	return d
}

func (d *desk) Borrow(ctx context.Context, w rows.Want, tell func(candor.Progress)) (rows.Loan, error) {
	if candor.ModelName(w.Model) != "tiny" {
		return rows.Loan{}, runtime.NotThere("desk", w.Model)
	}
	select {
	case d.slots <- struct{}{}:
	default:
		d.mu.Lock()
		d.tells++
		d.mu.Unlock()
		tell(candor.Progress{Kind: "slot", Note: "waits for a slot"})
		select {
		case d.slots <- struct{}{}:
		case <-ctx.Done():
			return rows.Loan{}, context.Cause(ctx)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.refusals) > 0 {
		err := d.refusals[0]
		d.refusals = d.refusals[1:]
		<-d.slots
		return rows.Loan{}, err
	}
	d.lent++
	d.most = max(d.most, d.lent)
	loan := d.loan
	loan.Return = sync.OnceValue(func() func(error) {
		return func(err error) {
			d.mu.Lock()
			d.lent--
			d.returned = append(d.returned, err)
			d.mu.Unlock()
			<-d.slots
		}
	})()
	return loan, nil
}

func (d *desk) inject(t *testing.T, faults ...simrt.Fault) {
	t.Helper()
	for _, f := range faults {
		if err := d.sim.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
}

// ask is a prompt of one message.
func ask(parts ...candor.Part) *candor.LLM {
	return &candor.LLM{Messages: []candor.Message{
		{Role: candor.RoleSystem, Parts: []candor.Part{{Text: "Be brief."}}},
		{Role: candor.RoleUser, Parts: parts},
	}}
}

// about asks about a field of the item.
func about(path string) *candor.LLM {
	return ask(candor.Part{Text: "Say something about "}, candor.Part{IsItem: true, Item: path})
}

// ledger hears of progress.
type ledger struct {
	mu  sync.Mutex
	all []candor.Progress
}

func (l *ledger) tell(p candor.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, p)
}

func (l *ledger) kinds() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := map[string]int{}
	for _, p := range l.all {
		count[p.Kind]++
	}
	return count
}

// job is one with all that a test does not care about.
func job(t *testing.T, d rows.Lender, l *candor.LLM, item string) rows.Job {
	t.Helper()
	return rows.Job{
		Task: 17, Index: 3, Item: json.RawMessage(item), Worker: "worker-1", Dir: t.TempDir(),
		Step:   &candor.Step{Name: "topics", Class: candor.ClassLLM, Model: "tiny", LLM: l},
		Need:   func(step, output string) (string, error) { return "", errors.New("nothing is needed") },
		Lender: d, Clock: hasty{clock.System()},
		Tell: func(candor.Progress) {}, Hold: func(ctx context.Context) error { return ctx.Err() },
		Parallel: func() int { return 4 },
	}
}

func chunk(j rows.Job) rows.Job {
	j.Chunk = true
	return j
}

// result reads a single row's result.
func result(t *testing.T, j rows.Job) candor.RowResult {
	t.Helper()
	var r candor.RowResult
	if err := json.Unmarshal(read(t, j, "result.json"), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// results reads a chunk's.
func results(t *testing.T, j rows.Job, file string) []candor.RowResult {
	t.Helper()
	var all []candor.RowResult
	for line := range strings.Lines(string(read(t, j, file))) {
		var r candor.RowResult
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func read(t *testing.T, j rows.Job, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(j.Dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func exists(j rows.Job, file string) bool {
	_, err := os.Stat(filepath.Join(j.Dir, file))
	return err == nil
}

// ended wants a run to have ended in a way, for a reason whose text has words in it.
func ended(t *testing.T, err error, outcome candor.AttemptOutcome, code candor.ReasonCode, words string) {
	t.Helper()
	e, ok := errors.AsType[*rows.Error](err)
	if !ok {
		t.Fatalf("error %v", err)
	}
	if e.Outcome != outcome || e.Reason.Code != code || !strings.Contains(e.Reason.Text, words) {
		t.Errorf("%s, %s: %s\nwant %s, %s: …%s…", e.Outcome, e.Reason.Code, e.Reason.Text, outcome, code, words)
	}
}
