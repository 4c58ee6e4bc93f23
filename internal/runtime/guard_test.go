package runtime_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"candor/internal/runtime"
)

func detail(t *testing.T, err error) map[string]any {
	t.Helper()
	e, ok := errors.AsType[*runtime.Error](err)
	if !ok {
		t.Fatalf("%v is no runtime error", err)
	}
	return e.Detail
}

func TestGuards(t *testing.T) {
	request := runtime.Request{
		Model: "m", Digest: "abc", MaxTokens: 100, Settings: runtime.Settings{Context: 4096},
		Messages: []runtime.Message{{Text: "hello"}, {Text: "you"}},
	}
	good := runtime.Answer{Model: "m", Digest: "abc", Text: "fine", End: runtime.EndStop, PromptTokens: 20, Tokens: 2}
	but := func(change func(*runtime.Answer)) runtime.Answer {
		a := good
		change(&a)
		return a
	}
	card := runtime.Resident{Model: "m", Size: 8 << 30, VRAM: 8 << 30, Context: 4096}
	for _, c := range []struct {
		name string
		err  error
		want runtime.Code
		says string // names and numbers that the sentence holds
	}{
		{"same content", runtime.SameContent("m", "abc", "abc"), "", ""},
		{"no claim to a content", runtime.SameContent("m", "", "abc"), "", ""},
		{"content unknown", runtime.SameContent("m", "abc", ""), "", ""},
		{"another content", runtime.SameContent("m", "0123456789abcdef", "fedcba98765"), runtime.CodeNotThisModel, "model m is content fedcba98765, not 0123456789ab"},
		{"fits", runtime.Fits("m", 6<<30, 6<<30), "", ""},
		{"does not fit", runtime.Fits("m", 7<<30, 6<<30), runtime.CodeTooLarge, "needs 7 GiB, 6 GiB are free"},
		{"on the GPU", runtime.OnGPU(card), "", ""},
		{"half on the GPU", runtime.OnGPU(runtime.Resident{Model: "m", Size: 8 << 30, VRAM: 2 << 30}), runtime.CodeOnCPU, "2 GiB of 8 GiB on the GPU (25 %)"},
		{"on the CPU", runtime.OnGPU(runtime.Resident{Model: "m", Size: 8 << 30}), runtime.CodeOnCPU, "0 B of 8 GiB"},
		{"nowhere", runtime.OnGPU(runtime.Resident{Model: "m"}), runtime.CodeOnCPU, "0 %"},
		{"usual rate", runtime.AtUsualRate("m", 20, 31, 0.5), "", ""},
		{"no usual rate", runtime.AtUsualRate("m", 0.1, 0, 0.5), "", ""},
		{"slow", runtime.AtUsualRate("m", 3, 31, 0.5), runtime.CodeOnCPU, "3 tokens per second instead of 31"},
		{"context", runtime.WholeContext(card, 4096), "", ""},
		{"context lowered", runtime.WholeContext(card, 100000), runtime.CodeContextShort, "context of 4096 tokens, not 100000"},
		{"good answer", runtime.Judge(request, good), "", ""},
		{"answer of another content", runtime.Judge(request, but(func(a *runtime.Answer) { a.Digest = "zzz" })), runtime.CodeNotThisModel, "zzz"},
		{"truncated", runtime.Judge(request, but(func(a *runtime.Answer) { a.PromptTokens = 4096 })), runtime.CodeTruncated, "read 4096 tokens, all that its context of 4096 holds, of a prompt of 8 bytes"},
		{"prompt refused", runtime.Truncated("m", 0, 4096, 500000), runtime.CodeTruncated, "500000 bytes does not fit the context of m, 4096 tokens"},
		{"not done", runtime.Judge(request, but(func(a *runtime.Answer) { a.End = runtime.EndNone })), runtime.CodeIncomplete, "after 2 tokens"},
		{"limit", runtime.Judge(request, but(func(a *runtime.Answer) { a.End, a.Tokens = runtime.EndLength, 100 })), runtime.CodeRunaway, "limit of 100 tokens"},
		{"context full", runtime.Judge(request, but(func(a *runtime.Answer) { a.End, a.PromptTokens, a.Tokens = runtime.EndLength, 4050, 46 })), runtime.CodeRunaway, "4050 tokens read, 46 written, 4096 fit"},
		{"repeats", runtime.Judge(request, but(func(a *runtime.Answer) { a.Text = strings.Repeat("no way ", 100) })), runtime.CodeRunaway, `repeats`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := runtime.CodeOf(c.err); got != c.want {
				t.Fatalf("code %q, want %q (%v)", got, c.want, c.err)
			}
			if c.want == "" {
				if c.err != nil {
					t.Fatal(c.err)
				}
				return
			}
			if !strings.Contains(c.err.Error(), c.says) {
				t.Errorf("%q does not say %q", c.err, c.says)
			}
			if detail(t, c.err)[runtime.DetailModel] != "m" {
				t.Errorf("operands %v", detail(t, c.err))
			}
		})
	}
}

func TestCodesAreAClosedList(t *testing.T) {
	codes := runtime.Codes()
	if len(codes) != 19 {
		t.Errorf("%d codes", len(codes))
	}
	for _, c := range codes {
		if s := c.Scope(); s != runtime.ScopeRow && s != runtime.ScopeModel && s != runtime.ScopeServer {
			t.Errorf("%s has scope %q", c, s)
		}
	}
	if c := runtime.Code("made.up"); c.Scope() != runtime.ScopeServer || c.Passes() {
		t.Error("a code outside the list is taken for harmless")
	}
}

func TestErrorsAreMatchedByCode(t *testing.T) {
	cause := errors.New("connection refused")
	err := fmt.Errorf("load m: %w", runtime.Gone("http://there", 0, cause))
	if runtime.CodeOf(err) != runtime.CodeGone || !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if runtime.CodeOf(cause) != "" || runtime.CodeOf(nil) != "" {
		t.Error("a code where there is none")
	}
	if got, want := err.Error(), "load m: http://there does not answer: connection refused"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
