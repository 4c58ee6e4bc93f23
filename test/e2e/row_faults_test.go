//go:build linux

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"candor"
	"candor/internal/simrt"
)

// asksOne runs a step of a single row to its end.
func (f *farm) asksOne(name string, body ...string) (candor.Task, candor.RowResult) {
	f.t.Helper()
	lines := append([]string{"class: llm", "model: m", "retries: 0", "foreach: {items: [1]}"}, body...)
	b := f.ends(f.submit(name, "ask:\n\t"+strings.Join(lines, "\n\t")))
	return f.task(b.ID, "ask[0]"), f.onlyRow(b, "ask")
}

// onlyRow is the result of a step of one row, which is there also when it failed.
func (f *farm) onlyRow(b candor.Batch, step string) candor.RowResult {
	f.t.Helper()
	all := f.rowsOf(b, step)
	if len(all) != 1 {
		f.t.Fatalf("batch %s: %d results of step %s, want one, failed or not", b.ID, len(all), step)
	}
	return all[0]
}

// rowFails wants a task to have failed by its only row, whose result says why
// and keeps what there was of an answer.
func (f *farm) rowFails(task candor.Task, r candor.RowResult, code candor.ReasonCode, kept string, words ...string) {
	f.t.Helper()
	if task.State != candor.TaskFailed || task.Counted != 1 {
		f.t.Errorf("the task is %s, %d attempts counted", task.State, task.Counted)
	}
	x := f.saysWhy(task.ID.String(), code, candor.MoverYou, words...)
	f.rowError(r, code, kept, words...)
	if look := "candor show " + task.ID.String(); x.Reason.Next != look {
		f.t.Errorf("look with %q, want %q: a prompt prints nothing", x.Reason.Next, look)
	}
	if log := f.candor("logs", task.ID.String()); log.code == 0 || !hasAll(log.talk, append(words, "asks a model itself and prints nothing", "candor show")) {
		f.t.Errorf("candor logs says %q", log.talk)
	}
}

func (f *farm) rowError(r candor.RowResult, code candor.ReasonCode, kept string, words ...string) {
	f.t.Helper()
	if r.Error == nil || len(r.Answer) > 0 {
		f.t.Fatalf("the row has no error, or an answer: %+v", r)
	}
	if r.Error.Code != string(code) || !hasAll(r.Error.Text, words) || !strings.Contains(r.Error.Answer, kept) {
		f.t.Errorf("the row's error is %+v, want %s with %q, and %q of the answer", *r.Error, code, words, kept)
	}
}

// reader is a farm with one worker whose simulated server has the model m.
func reader(t *testing.T) (*farm, *played) {
	t.Helper()
	f := newFarm(t, swift())
	f.brain()
	s := simulate(t, simrt.Options{Slots: 1, Models: []simrt.Model{light("m")}})
	f.serves("worker-1", s)
	return f, s
}

// orders has a simulated server misbehave until it is told otherwise.
func (s *played) orders(t *testing.T, faults ...simrt.Fault) {
	t.Helper()
	s.Clear()
	for _, fault := range faults {
		if err := s.Inject(fault); err != nil {
			t.Fatal(err)
		}
	}
}

// TestF52PromptTooLong: a prompt of 100,000 tokens for a context of 4096 is not
// answered from its stump, whether the server refuses it or cuts it in silence.
func TestF52PromptTooLong(t *testing.T) {
	t.Parallel()
	f, s := reader(t)
	const tokens, context = 100_000, 4096
	book := f.write("book.txt", strings.Repeat("owl ", tokens))
	bytes := fmt.Sprint(4*tokens + len("Read: "))
	for _, c := range []struct {
		name   string
		faults []simrt.Fault
		words  []string
	}{
		{"cut", []simrt.Fault{{Kind: simrt.Truncate}}, []string{"truncated: m:latest read 4096 tokens, all that its context of 4096 holds", bytes + " bytes"}},
		{"refused", nil, []string{"a prompt of " + bytes + " bytes does not fit the context of m:latest, 4096 tokens"}},
	} {
		s.orders(t, c.faults...)
		b := f.ends(f.submit(c.name, fmt.Sprintf(`
			book: {run: cp %s book.txt, outputs: {text: book.txt}}
			read:
				class: llm
				model: m
				retries: 0
				needs: [book]
				foreach: {items: [1]}
				prompt: "Read: {{ needs.book.text }}"
				max_tokens: 50
				options: {num_ctx: %d}
		`, book, context)))
		f.rowFails(f.task(b.ID, "read[0]"), f.onlyRow(b, "read"), candor.ReasonAnswerTruncated, "", c.words...)
	}
}

// TestF52PromptTooLong, where the book is a row of a file: a prompt may have rows
// that no command could.
func TestF52RowOfABook(t *testing.T) {
	t.Parallel()
	f, _ := reader(t)
	long := strings.Repeat("owl ", 100_000)
	path := f.write("rows.jsonl", fmt.Sprintf("%q\n%q\n", "short", long))
	b := f.ends(f.submit("books", `
		read:
			class: llm
			model: m
			retries: 0
			foreach: {file: `+path+`}
			prompt: "Read {{ item }}."
			max_tokens: 50
			options: {num_ctx: 4096}
	`))
	f.everyRowOnce(b, "read", 2)
	for i, r := range f.rowsOf(b, "read") {
		if i == 0 && r.Error != nil {
			t.Errorf("the short row pays for the long one: %+v", *r.Error)
		} else if i == 1 {
			f.rowError(r, candor.ReasonAnswerTruncated, "", fmt.Sprintf("a prompt of %d bytes does not fit the context of m:latest, 4096 tokens", len(long)+len("Read .")))
		}
	}
	refused := f.candor("submit", f.plan("words", "count: {foreach: {file: "+path+"}, run: wc -w}"))
	if refused.code == 0 || !strings.Contains(refused.talk, path+":2:1: a row has 400002 bytes, more than the 65536 that an item may have where a command gets it") {
		t.Errorf("as the item of a command: %+v", refused)
	}
}

// TestF52RowTooLong: the rows beside one that is too long are none the worse.
func TestF52RowTooLong(t *testing.T) {
	t.Parallel()
	f, s := reader(t)
	s.orders(t, simrt.Fault{Kind: simrt.Truncate})
	long := strings.Repeat("owl ", 10_000)
	path := f.write("rows.jsonl", fmt.Sprintf("%q\n%q\n%q\n", "short", long, "brief"))
	b := f.ends(f.submit("books", `
		read:
			class: llm
			model: m
			foreach: {file: `+path+`, chunk: 3}
			prompt: "Read {{ item }}."
			max_tokens: 50
			options: {num_ctx: 4096}
	`))
	f.everyRowOnce(b, "read", 3)
	for i, r := range f.rowsOf(b, "read") {
		if i == 1 {
			f.rowError(r, candor.ReasonAnswerTruncated, "", "truncated: m:latest read 4096 tokens", fmt.Sprint(len(long)+len("Read .")))
		} else if r.Error != nil {
			t.Errorf("row %d pays for its neighbour: %+v", i, *r.Error)
		}
	}
	tasks := f.tasks(b.ID)
	if len(tasks) != 1 || tasks[0].State != candor.TaskComplete {
		t.Errorf("tasks: %+v", tasks)
	}
	told := []string{"1 of 3 rows of step read failed (answer.truncated 1)", "truncated: m:latest read 4096 tokens"}
	f.once(candor.EventRowsFailed, told...)
	var show candor.Batch
	f.candor("show", b.ID.String(), "--json").ok().json(&show)
	f.reason(show.Steps[0].Flag, candor.ReasonRowsFailed, candor.MoverYou, told...)
	if wait := f.candor("wait", b.ID.String()).ok(); !hasAll(wait.out, []string{"succeeded"}) || !hasAll(wait.talk, append(told, "warning: ")) {
		t.Errorf("candor wait says %q and, of the row, %q", wait.out, wait.talk)
	}
}

// TestF53NoEnd: a model that does not stop by itself is cut at the limit, at
// the row's deadline, or when it says the same over and over. The row says so
// and keeps what there was, and the worker goes on with the next.
func TestF53NoEnd(t *testing.T) {
	t.Parallel()
	f, s := reader(t)
	for _, c := range []struct {
		name  string
		fault simrt.Kind
		plan  []string
		words []string
	}{
		{"limit", simrt.Endless, []string{"max_tokens: 50"}, []string{"cut at its limit of 50 tokens"}},
		{"repeat", simrt.Repeat, []string{"max_tokens: 500"}, []string{"m:latest", "repeat", `"ba`}},
		{"deadline", simrt.Endless, []string{"max_tokens: 8000", "options: {num_ctx: 8192}", "deadline: 2s"}, []string{"has not ended its answer after", "tokens"}},
	} {
		s.orders(t, simrt.Fault{Kind: c.fault})
		task, r := f.asksOne(c.name, append(c.plan, "prompt: Tell me everything.")...)
		kept := " "
		if c.fault == simrt.Repeat {
			kept = "baba"
		}
		f.rowFails(task, r, candor.ReasonAnswerRunaway, kept, c.words...)
		s.orders(t)
		if task, r := f.asksOne("after-"+c.name, "prompt: Be brief.", "max_tokens: 50"); task.State != candor.TaskComplete || len(r.Answer) == 0 {
			t.Errorf("after %s: the next row is %s: %+v", c.name, task.State, r)
		}
	}
}

// TestF54NotTheJSON: an answer that is not the JSON asked for is asked for once
// more, and then a row error that keeps it.
func TestF54NotTheJSON(t *testing.T) {
	t.Parallel()
	f, s := reader(t)
	schema := `schema: {type: object, properties: {name: {type: string}, age: {type: integer}}, required: [name, age], additionalProperties: false}`
	for _, c := range []struct {
		name  string
		fault simrt.Fault
		limit string
		code  candor.ReasonCode // "": answered
		tries int
		kept  string
		words []string
	}{
		{"fenced once", simrt.Fault{Kind: simrt.Prose, Times: 1}, "max_tokens: 500", "", 2, "", nil},
		{"fenced", simrt.Fault{Kind: simrt.Prose}, "max_tokens: 500", candor.ReasonAnswerSchema, 2, "```json", []string{"not the JSON that was asked for", "code fence", "asked again"}},
		{"another object", simrt.Fault{Kind: simrt.OffSchema}, "max_tokens: 500", candor.ReasonAnswerSchema, 2, "off schema", []string{"does not obey the schema", "asked again"}},
		{"at the limit", simrt.Fault{Kind: simrt.Endless}, "max_tokens: 2", candor.ReasonAnswerRunaway, 1, "{", []string{"cut at its limit of 2 tokens"}},
		{"cut", simrt.Fault{Kind: simrt.Cut, After: 2}, "max_tokens: 500", candor.ReasonAnswerIncomplete, 1, "{", []string{"ended after 2 tokens"}},
	} {
		s.orders(t, c.fault)
		task, r := f.asksOne(strings.ReplaceAll(c.name, " ", "-"), "prompt: Who are you?", schema, c.limit)
		if r.Tries != c.tries {
			t.Errorf("%s: asked %d times, want %d", c.name, r.Tries, c.tries)
		}
		if c.code != "" {
			f.rowFails(task, r, c.code, c.kept, c.words...)
		} else if task.State != candor.TaskComplete || r.Error != nil || len(r.Answer) == 0 {
			t.Errorf("%s: the task is %s: %+v", c.name, task.State, r)
		}
	}
}

// TestF54AllOfAChunk: where every row of a chunk fails the task does, and each
// row's own error is there all the same.
func TestF54AllOfAChunk(t *testing.T) {
	t.Parallel()
	f, s := reader(t)
	s.orders(t, simrt.Fault{Kind: simrt.OffSchema})
	id := f.submit("lists", `
		ask:
			class: llm
			model: m
			retries: 0
			foreach: {items: [1, 2, 3, 4], chunk: 4}
			prompt: "Say {{ item }}."
			schema: {type: object, required: [said]}
			max_tokens: 500
	`)
	b := f.ends(id)
	f.everyRowOnce(b, "ask", 4)
	for _, r := range f.rowsOf(b, "ask") {
		f.rowError(r, candor.ReasonAnswerSchema, "off schema", "does not obey the schema")
	}
	x := f.saysWhy(f.tasks(id)[0].ID.String(), candor.ReasonAnswerSchema, candor.MoverYou, "all 4 rows failed", "does not obey the schema")
	if x.Task.Counted != 1 {
		t.Errorf("%d attempts counted", x.Task.Counted)
	}
}
