package runtimetest

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"candor/internal/runtime"
)

func answer(t *testing.T, s Subject) {
	s.load(t, s.Models.Tiny)
	var pieces strings.Builder
	r := s.ask(s.Models.Tiny, few)
	r.Messages = append([]runtime.Message{{Role: "system", Text: "Be brief."}}, r.Messages...)
	a, err := s.Server.Generate(within(t), r, func(c runtime.Chunk) { pieces.WriteString(c.Text) })
	if err != nil {
		t.Fatal(err)
	}
	if a.Text == "" || a.Text != pieces.String() {
		t.Errorf("text %q, pieces %q", a.Text, pieces.String())
	}
	if a.PromptTokens <= 0 || a.Tokens <= 0 || a.Tokens > few || a.End == runtime.EndNone || a.Model != s.Models.Tiny {
		t.Errorf("numbers: %+v", a)
	}
	if a.Times.Total <= 0 || a.Times.FirstToken <= 0 || a.Times.FirstToken > a.Times.Total {
		t.Errorf("times: %+v", a.Times)
	}
	if r := s.loaded(t)[s.Models.Tiny]; a.Digest != r.Digest {
		t.Errorf("digest %q, loaded is %q", a.Digest, r.Digest)
	}
}

// The prompt's tokens are counted whole even when the server has them cached.
func answerSeeded(t *testing.T, s Subject) {
	s.load(t, s.Models.Tiny)
	var first runtime.Answer
	for i := range 3 {
		a, err := s.Server.Generate(within(t), s.ask(s.Models.Tiny, 40), nil)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = a
		}
		if a.Text != first.Text || a.PromptTokens != first.PromptTokens || a.Seed == nil || *a.Seed != 7 {
			t.Errorf("answer %d: %+v, the first: %+v", i, a, first)
		}
	}
	r := s.ask(s.Models.Tiny, 40)
	*r.Sampling.Seed = 8
	if a, err := s.Server.Generate(within(t), r, nil); err != nil || a.Text == first.Text {
		t.Errorf("another seed, the same text %q (%v)", a.Text, err)
	}
}

func answerSchema(t *testing.T, s Subject) {
	s.load(t, s.Models.Tiny)
	r := s.ask(s.Models.Tiny, 400)
	r.Schema = json.RawMessage(`{"type":"object","properties":{
		"name":{"type":"string"},"age":{"type":"integer"},"ok":{"type":"boolean"},
		"kind":{"enum":["cat","dog"]},"tags":{"type":"array","items":{"type":"string"},"maxItems":3}},
		"required":["name","age","ok","kind","tags"]}`)
	for seed := range int64(5) {
		*r.Sampling.Seed = seed
		a, err := s.Server.Generate(within(t), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Name *string
			Age  *int
			OK   *bool
			Kind string
			Tags []string
		}
		if err := json.Unmarshal([]byte(a.Text), &v); err != nil {
			t.Fatalf("seed %d: %v in %s", seed, err, a.Text)
		}
		if v.Name == nil || v.Age == nil || v.OK == nil || v.Kind != "cat" && v.Kind != "dog" || len(v.Tags) > 3 {
			t.Errorf("seed %d: not by the schema: %s", seed, a.Text)
		}
	}
	r.Schema = json.RawMessage(`{"type":7}`)
	_, err := s.Server.Generate(within(t), r, nil)
	wantCode(t, err, runtime.CodeRefused)
}

func answerLimit(t *testing.T, s Subject) {
	s.load(t, s.Models.Endless)
	r := s.ask(s.Models.Endless, few)
	a, err := s.Server.Generate(within(t), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.End != runtime.EndLength || a.Tokens != few {
		t.Errorf("end %q after %d tokens", a.End, a.Tokens)
	}
	if e := wantCode(t, runtime.Judge(r, a), runtime.CodeRunaway); e[runtime.DetailRule] != runtime.RuleLimit {
		t.Errorf("operands %v", e)
	}
}

func answerOverdue(t *testing.T, s Subject) {
	s.load(t, s.Models.Endless)
	ctx, end := context.WithCancelCause(within(t))
	n := 0
	a, err := s.Server.Generate(ctx, s.ask(s.Models.Endless, plenty), func(runtime.Chunk) {
		if n++; n == few { // the time is up, however long that took
			end(context.DeadlineExceeded)
		}
	})
	e := wantCode(t, err, runtime.CodeRunaway)
	if e[runtime.DetailRule] != runtime.RuleDeadline || a.Tokens == 0 || a.Text == "" {
		t.Errorf("operands %v, answer %+v", e, a)
	}
}

func answerRepeats(t *testing.T, s Subject) {
	s.load(t, s.Models.Stutter)
	_, err := s.Server.Generate(within(t), s.ask(s.Models.Stutter, plenty), nil)
	e := wantCode(t, err, runtime.CodeRunaway)
	if e[runtime.DetailRule] != runtime.RuleRepeat {
		t.Errorf("operands %v", e)
	}
}

func answerWrongContent(t *testing.T, s Subject) {
	s.load(t, s.Models.Tiny)
	r := s.ask(s.Models.Tiny, few)
	r.Digest = "0123456789abcdef"
	a, err := s.Server.Generate(within(t), r, nil)
	if s.lacks(t, Digests) {
		if err != nil || a.Digest != "" {
			t.Errorf("%v, digest %q", err, a.Digest)
		}
		return
	}
	wantCode(t, err, runtime.CodeNotThisModel)
}

func answerMissing(t *testing.T, s Subject) {
	_, err := s.Server.Generate(within(t), s.ask("nobody", few), nil)
	wantCode(t, err, runtime.CodeMissing)
	_, err = s.Server.Embed(within(t), runtime.EmbedRequest{Model: "nobody", Settings: s.Settings, Texts: []string{"a"}})
	wantCode(t, err, runtime.CodeMissing)
}

func promptTooLong(t *testing.T, s Subject) {
	s.load(t, s.Models.Tiny)
	r := s.ask(s.Models.Tiny, few)
	r.Messages = append(r.Messages, runtime.Message{Role: "user", Text: strings.Repeat("word after word ", s.Settings.Context)})
	a, err := s.Server.Generate(within(t), r, nil)
	if s.lacks(t, RefuseLong) {
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, runtime.Judge(r, a), runtime.CodeTruncated)
		return
	}
	e := wantCode(t, err, runtime.CodeTruncated)
	if e[runtime.DetailWanted] != s.Settings.Context || e[runtime.DetailSize] != r.Bytes() {
		t.Errorf("operands %v", e)
	}
	s.load(t, s.Models.Vector)
	_, err = s.Server.Embed(within(t), runtime.EmbedRequest{Model: s.Models.Vector, Settings: s.Settings, Texts: []string{"short", r.Messages[1].Text}})
	wantCode(t, err, runtime.CodeTruncated)
}

// A server that makes room by forgetting the prompt would go on for ever.
func contextFull(t *testing.T, s Subject) {
	if !s.lacks(t, Settle) {
		s.Settings.Context = 256
	}
	s.load(t, s.Models.Endless)
	r := s.ask(s.Models.Endless, s.Settings.Context+200)
	a, err := s.Server.Generate(within(t), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.lacks(t, StopAtFull) { // it goes on, having forgotten what it was asked
		if e := wantCode(t, runtime.Judge(r, a), runtime.CodeRunaway); e[runtime.DetailRule] != runtime.RuleLimit {
			t.Errorf("operands %v", e)
		}
		return
	}
	if a.End != runtime.EndLength || a.PromptTokens+a.Tokens > s.Settings.Context+1 {
		t.Errorf("end %q: %d tokens read and %d written in a context of %d", a.End, a.PromptTokens, a.Tokens, s.Settings.Context)
	}
	if e := wantCode(t, runtime.Judge(r, a), runtime.CodeRunaway); e[runtime.DetailRule] != runtime.RuleContext {
		t.Errorf("operands %v", e)
	}
}

func refused(t *testing.T, s Subject) {
	ctx := within(t)
	for name, spoil := range map[string]func(*runtime.Request){
		"no model":    func(r *runtime.Request) { r.Model = "" },
		"no context":  func(r *runtime.Request) { r.Settings.Context = 0 },
		"no limit":    func(r *runtime.Request) { r.MaxTokens = 0 },
		"no messages": func(r *runtime.Request) { r.Messages = nil },
	} {
		r := s.ask(s.Models.Tiny, few)
		spoil(&r)
		if _, err := s.Server.Generate(ctx, r, nil); runtime.CodeOf(err) != runtime.CodeRefused {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := s.Server.Load(ctx, runtime.LoadRequest{Model: s.Models.Tiny})
	wantCode(t, err, runtime.CodeRefused)
	_, err = s.Server.Embed(ctx, runtime.EmbedRequest{Model: s.Models.Tiny, Settings: s.Settings})
	wantCode(t, err, runtime.CodeRefused)
}

func manyAtOnce(t *testing.T, s Subject) {
	s.load(t, s.Models.Tiny)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if a, err := s.Server.Generate(within(t), s.ask(s.Models.Tiny, few), nil); err != nil || a.Text == "" {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	wg.Wait()
}

func embed(t *testing.T, s Subject) {
	s.load(t, s.Models.Vector)
	r := runtime.EmbedRequest{Model: s.Models.Vector, Settings: s.Settings, Texts: []string{"a", "b", "a"}}
	e, err := s.Server.Embed(within(t), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Vectors) != 3 || len(e.Vectors[0]) == 0 || e.PromptTokens <= 0 || e.Took <= 0 {
		t.Errorf("%d vectors, %d tokens, %s", len(e.Vectors), e.PromptTokens, e.Took)
	}
	if e.Digest != s.loaded(t)[s.Models.Vector].Digest {
		t.Errorf("digest %q", e.Digest)
	}
	if s.lacks(t, TextVectors) {
		s.load(t, s.Models.Tiny)
		_, err := s.Server.Embed(within(t), runtime.EmbedRequest{Model: s.Models.Tiny, Settings: s.Settings, Texts: r.Texts})
		wantCode(t, err, runtime.CodeRefused)
	}
	if s.lacks(t, Digests) {
		return
	}
	r.Digest = "0123456789abcdef"
	_, err = s.Server.Embed(within(t), r)
	wantCode(t, err, runtime.CodeNotThisModel)
}
