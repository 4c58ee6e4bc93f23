package modelhost

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"candor/internal/durable"
	"candor/internal/record"
	"candor/internal/runtime"
)

const (
	// enough answers make a usual rate.
	enough = 5
	// telling is how many tokens an answer must have for its rate to tell anything.
	telling = 8
	// fraction of the usual rate below which a model is taken to be on the CPU:
	// parallel answers and heat cost less, a CPU costs more.
	fraction = 0.2
	// weight of the newest in a moving average.
	weight = 0.2
	// patient is how many slow answers in a row it takes.
	patient = 3
)

// past is what is known of a model on this worker, from all its loads.
type past struct {
	Rate    float64       `json:"tokens_per_second"`
	Answers int           `json:"answers"`
	Reads   float64       `json:"prompt_tokens_per_second"`
	Load    time.Duration `json:"load"` // nanoseconds
	VRAM    int64         `json:"vram"` // bytes, at most so far
	Context int           `json:"context"`
}

// usual is the rate to compare with, 0 while there is none.
func (p *past) usual() float64 {
	if p == nil || p.Answers < enough {
		return 0
	}
	return p.Rate
}

// answer adds an answer's numbers, and says whether it came at the usual rate.
func (p *past) answer(model string, a runtime.Answer) error {
	if a.Tokens < telling || a.Rate() == 0 {
		return nil
	}
	if err := runtime.AtUsualRate(model, a.Rate(), p.usual(), fraction); err != nil {
		return err
	}
	p.Rate = average(p.Rate, a.Rate())
	p.Answers++
	if a.Times.Prompt > 0 && a.PromptTokens > 0 {
		p.Reads = average(p.Reads, float64(a.PromptTokens)/a.Times.Prompt.Seconds())
	}
	return nil
}

func average(old, x float64) float64 {
	if old == 0 {
		return x
	}
	return old + weight*(x-old)
}

// Reading of prompts: bytes of a token at least, and the rate where it was not
// measured: a slow CPU's.
const (
	tokenBytes = 3
	slowReader = 25.0 // tokens per second
)

// reading is how long the prompts of so many bytes may take to be read.
func (p *past) reading(bytes int) time.Duration {
	rate := slowReader
	if p != nil && p.Reads > 0 {
		rate = p.Reads / 4 // caches do not last, and several share it
	}
	return time.Duration(float64(bytes) / tokenBytes / rate * float64(time.Second))
}

// loaded adds a load's numbers.
func (p *past) loaded(r runtime.Resident, took time.Duration) {
	p.Load = time.Duration(average(float64(p.Load), float64(took)))
	p.VRAM, p.Context = r.VRAM, r.Context
}

// pastOf is a model's past. The caller holds mu.
func (h *Host) pastOf(name string) *past {
	p := h.past[name]
	if p == nil {
		p = &past{}
		h.past[name] = p
	}
	h.dirty = true
	return p
}

const pastFile = "models.json"

// readPast takes what a former worker has learnt; without it, it is learnt again.
func readPast(o Options) map[string]*past {
	all := map[string]*past{}
	if o.Dir == "" {
		return all
	}
	text, err := os.ReadFile(filepath.Join(o.Dir, pastFile))
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return map[string]*past{}
	}
	return all
}

// keepPast writes down what was learnt.
func (h *Host) keepPast() {
	h.mu.Lock()
	text, err := json.Marshal(h.past)
	dirty := h.dirty
	h.dirty = false
	h.mu.Unlock()
	if !dirty || h.o.Dir == "" {
		return
	}
	if err == nil {
		err = durable.WriteFile(filepath.Join(h.o.Dir, pastFile), text)
	}
	if err != nil {
		h.say(slog.LevelWarn, lineModel, "What is known of models could not be kept", slog.String(record.KeyError, err.Error()))
	}
}
