package rows_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"candor"
	"candor/internal/clock"
	"candor/internal/rows"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
	"candor/internal/simrt"
)

func TestGuards(t *testing.T) {
	long := `"` + strings.Repeat("owls ", 2000) + `"`
	for _, c := range []struct {
		name  string
		item  string
		model simrt.Model
		fault simrt.Fault
		code  candor.ReasonCode
		words string
		most  int // max_tokens
	}{
		{name: "refused as too long", item: long, code: candor.ReasonAnswerTruncated, words: "does not fit the context"},
		{name: "cut in silence", item: long, fault: simrt.Fault{Kind: simrt.Truncate}, code: candor.ReasonAnswerTruncated, words: "truncated: tiny:latest read 1024 tokens"},
		{name: "never ends", model: simrt.Model{Endless: true}, most: 50, code: candor.ReasonAnswerRunaway, words: "cut at its limit of 50 tokens"},
		{name: "fills the context", model: simrt.Model{Endless: true}, code: candor.ReasonAnswerRunaway, words: "; with max_tokens 2048 it needs num_ctx 20"},
		{name: "repeats itself", model: simrt.Model{Stutter: true}, code: candor.ReasonAnswerRunaway, words: "repeat"},
		{name: "not ended", fault: simrt.Fault{Kind: simrt.Cut, After: 1}, code: candor.ReasonAnswerIncomplete, words: "after 1 tokens"},
		{name: "an error, each time", fault: simrt.Fault{Kind: simrt.Error}, code: candor.ReasonServerFault, words: "an internal error was ordered"},
		{name: "an error inside, each time", fault: simrt.Fault{Kind: simrt.InBand, After: 2}, code: candor.ReasonServerFault, words: "inside the answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, 1, c.model)
			l := about("")
			l.Options.MaxTokens = c.most
			if c.item == "" {
				c.item = `"owls"`
			}
			if c.fault.Kind != "" {
				d.inject(t, c.fault)
			}
			j := job(t, d, l, c.item)
			totals, err := rows.Run(t.Context(), j)
			ended(t, err, candor.AttemptFailed, c.code, c.words)
			r := result(t, j)
			if r.Error == nil || r.Error.Code != string(c.code) || totals.Failed != 1 || totals.Errors[r.Error.Code] != 1 || totals.First != r.Error.Text {
				t.Errorf("%+v, %+v", r.Error, totals)
			}
			if e, _ := errors.AsType[*rows.Error](err); e.Reason.Operands["model"] != tiny {
				t.Errorf("operands %v", e.Reason.Operands)
			}
			for _, err := range d.returned {
				if runtime.CodeOf(err) != runtime.Code(c.code) {
					t.Errorf("a loan came back with %v", err)
				}
			}
			if exists(j, "answer.txt") {
				t.Error("there is an answer.txt")
			}
		})
	}
}

func TestWhatPassesIsBorne(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault simrt.Fault
		tries int
	}{
		{"busy", simrt.Fault{Kind: simrt.Busy, Times: 7}, 8},
		{"an error once", simrt.Fault{Kind: simrt.Error, Times: 1}, 2},
		{"the runner dies", simrt.Fault{Kind: simrt.RunnerDeath, Times: 2, After: 1}, 3},
		{"a hang", simrt.Fault{Kind: simrt.Hang, Times: 1, After: 1}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, 1, simrt.Model{})
			d.inject(t, c.fault)
			j := job(t, d, about(""), `"owls"`)
			totals, err := rows.Run(t.Context(), j)
			if err != nil {
				t.Fatal(err)
			}
			r := result(t, j)
			if r.Tries != c.tries || r.Tokens != int(totals.Tokens) || r.Tokens == 0 {
				t.Errorf("%+v", r)
			}
			var text string
			if err := json.Unmarshal(r.Answer, &text); err != nil || strings.Count(text, " ")+1 != r.Tokens {
				t.Errorf("%d tokens counted in %q: those that came to nothing do not count", r.Tokens, text)
			}
			if len(d.returned) != c.tries || d.lent != 0 {
				t.Errorf("%d loans came back, %d are out", len(d.returned), d.lent)
			}
		})
	}
}

func TestWhatIsNoRowsFault(t *testing.T) {
	for _, c := range []struct {
		name    string
		fault   simrt.Fault
		refusal error
		times   int
		outcome candor.AttemptOutcome
		code    candor.ReasonCode
	}{
		{name: "the runner dies again and again", fault: simrt.Fault{Kind: simrt.RunnerDeath, After: 1}, outcome: candor.AttemptTransient, code: candor.ReasonRunnerGone},
		{name: "hangs again and again", fault: simrt.Fault{Kind: simrt.Hang, After: 1}, outcome: candor.AttemptTransient, code: candor.ReasonServerHung},
		{name: "the server dies", fault: simrt.Fault{Kind: simrt.Death, After: 1}, outcome: candor.AttemptTransient, code: candor.ReasonServerGone},
		{name: "another content", fault: simrt.Fault{Kind: simrt.WrongDigest}, outcome: candor.AttemptFailed, code: candor.ReasonModelWrong},
		{name: "no loan", refusal: runtime.NotThere("desk", tiny), times: 9, outcome: candor.AttemptTransient, code: candor.ReasonRunnerGone},
		{name: "still loading", refusal: runtime.StillLoading(tiny, time.Minute, nil), times: 1, outcome: candor.AttemptTransient, code: candor.ReasonModelLoading},
		{name: "too short", refusal: &runtime.Error{Code: runtime.CodeContextShort, Text: "too short"}, times: 1, outcome: candor.AttemptFailed, code: candor.ReasonModelContext},
		{name: "our own", refusal: errors.New("what is this"), times: 1, outcome: candor.AttemptFailed, code: candor.ReasonServerFault},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, 1, simrt.Model{})
			if c.fault.Kind != "" {
				d.inject(t, c.fault)
			}
			for range c.times {
				d.refusals = append(d.refusals, c.refusal)
			}
			j := job(t, d, about(""), `"owls"`)
			totals, err := rows.Run(t.Context(), j)
			ended(t, err, c.outcome, c.code, "")
			if totals.Rows != 0 || exists(j, "result.json") {
				t.Errorf("%+v, or there is a result", totals)
			}
		})
	}
}

// A server that is always busy does not keep a task for ever.
func TestBusyHasAnEnd(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{})
	d.inject(t, simrt.Fault{Kind: simrt.Busy})
	j := job(t, d, about(""), `"owls"`)
	j.Clock = &leaping{Clock: clock.System()}
	_, err := rows.Run(t.Context(), j)
	ended(t, err, candor.AttemptTransient, candor.ReasonServerBusy, "busy")
	if n := len(d.returned); n < 60 || n > 120 {
		t.Errorf("asked %d times in ten minutes", n)
	}
}

// leaping is a clock on which sleep takes no time.
type leaping struct {
	clock.Clock
	ahead time.Duration
}

func (l *leaping) Now() time.Time { return l.Clock.Now().Add(l.ahead) }

func (l *leaping) Sleep(ctx context.Context, d time.Duration) error {
	l.ahead += d
	return ctx.Err()
}

func TestDeadlines(t *testing.T) {
	embed := &candor.LLM{Embed: []candor.Part{{IsItem: true}}}
	for _, c := range []struct {
		name    string
		llm     *candor.LLM
		model   simrt.Model
		fault   simrt.Fault
		freeze  bool
		outcome candor.AttemptOutcome
		code    candor.ReasonCode
		words   string
		tries   int
	}{
		{name: "while tokens come", model: simrt.Model{Rate: 50, Endless: true}, outcome: candor.AttemptFailed, code: candor.ReasonAnswerRunaway, words: "has not ended its answer after", tries: 1},
		{name: "no token, a server that is well", model: simrt.Model{PromptRate: 10}, outcome: candor.AttemptFailed, code: candor.ReasonAnswerRunaway, words: "has not begun its answer within the row's deadline of 150ms, 3 times", tries: 3},
		{name: "no vector, a server that is well", llm: embed, model: simrt.Model{PromptRate: 10}, outcome: candor.AttemptFailed, code: candor.ReasonAnswerRunaway, words: "has not begun", tries: 3},
		{name: "no token, a server that is frozen", freeze: true, outcome: candor.AttemptTransient, code: candor.ReasonServerHung, words: "has said nothing for"},
		{name: "no vector, a server that is frozen", llm: embed, freeze: true, outcome: candor.AttemptTransient, code: candor.ReasonServerHung, words: "has said nothing for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, 1, c.model)
			if c.freeze {
				defer d.sim.Freeze()()
			}
			if c.llm == nil {
				c.llm = about("")
			}
			c.llm.Deadline = candor.Duration(150 * time.Millisecond)
			j := job(t, d, c.llm, `"owls"`)
			_, err := rows.Run(t.Context(), j)
			ended(t, err, c.outcome, c.code, c.words)
			if c.tries > 0 {
				if r := result(t, j); r.Tries != c.tries || r.Error == nil {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// Another program on the port is no row's fault either.
func TestAnotherProgramAnswers(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{})
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	other := ollama.New(ollama.Options{URL: web.URL, Clock: clock.System()})
	defer other.Close()
	d.loan.Server = other
	_, err := rows.Run(t.Context(), job(t, d, about(""), `"owls"`))
	ended(t, err, candor.AttemptFailed, candor.ReasonServerWrong, "another program")
}

func TestADiskThatIsFull(t *testing.T) {
	d := newDesk(t, 1, simrt.Model{})
	j := job(t, d, about(""), `"owls"`)
	if err := os.Remove(j.Dir); err != nil {
		t.Fatal(err)
	}
	_, err := rows.Run(t.Context(), j)
	ended(t, err, candor.AttemptTransient, candor.ReasonHostFault, "the results could not be kept")
}
