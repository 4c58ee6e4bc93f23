package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"candor"
	"candor/internal/simrt"
)

// What the demonstration plays: the night of the incident (docs/architecture.md), a few
// hundred times faster.
const (
	demoTasks = 125
	demoCards = 3
	demoModel = "qwen2.5:7b"
	demoLoad  = 3 * time.Second // what loading the model takes
	demoRate  = 100.0           // tokens per second
	demoWords = 16              // tokens of an answer
)

func (a *app) demoVerb() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch three simulated GPUs work through a night's batch, under two rules",
		Long: `Plays a batch of 125 prompts on three simulated GPUs, in fast motion: first under
candor's rules, then under the rule that left two of three workers idle for a
night. Everything about the models is simulated; the brain, the workers, the
queue and the explanations are the real ones. It takes less than a minute, needs
nothing, and leaves nothing behind.`,
		Example: lines("candor demo"),
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.demo(cmd.Context(), keep)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the state and the logs, and say where they are")
	return cmd
}

// demo plays both acts and compares them.
func (a *app) demo(ctx context.Context, keep bool) (err error) {
	dir, err := os.MkdirTemp("", "candor-demo-")
	if err != nil {
		return err
	}
	defer func() {
		if keep {
			a.talk("state and logs are kept in %s", dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	w := a.Out
	demoOpening(w, a.style(w))
	var results []actResult
	for i, rule := range demoRules() {
		r, err := a.playAct(ctx, fmt.Sprintf("%s/%d", dir, i+1), i+1, rule)
		if err != nil {
			return fmt.Errorf("act %d: %w", i+1, err)
		}
		results = append(results, r)
	}
	demoClosing(w, a.style(w), results)
	return nil
}

// demoRule is what the two acts differ in.
type demoRule struct {
	name   string // one phrase
	told   string // what the rule is, for somebody who has never heard of it
	maxHot int
}

func demoRules() []demoRule {
	return []demoRule{
		{"candor's rule", "load the model wherever that ends the work sooner", 0},
		{"the old rule", "load the model only while nobody has it (placement.max_hot: 1)", 1},
	}
}

// demoServer is the model server of one simulated card.
func (a *app) demoServer(seed uint64) simrt.Options {
	return simrt.Options{
		Clock: a.clk, Seed: seed, VRAM: 24 << 30, Slots: 1,
		Models: []simrt.Model{{Name: demoModel, Size: 5 << 30, PerToken: 64 << 10, Context: 32768, LoadTime: demoLoad, Rate: demoRate, PromptRate: 10_000, Length: demoWords}},
	}
}

// demoBatch is the batch: a prompt for each recording.
func demoBatch() candor.Submission {
	step := candor.Step{
		Name: "topics", Class: candor.ClassLLM, Model: demoModel, Retries: 1,
		Each: &candor.Each{},
		LLM: &candor.LLM{
			Messages: []candor.Message{{Role: "user", Parts: []candor.Part{{Text: "Name the topics of "}, {IsItem: true}, {Text: "."}}}},
			Options:  candor.LLMOptions{Context: 2048, MaxTokens: demoWords * 4},
		},
		Context: 2048,
		Outputs: map[string]string{candor.OutputAnswer: "answer.txt", candor.OutputResult: "result.json"},
	}
	for i := range demoTasks {
		step.Each.Items = append(step.Each.Items, fmt.Appendf(nil, `"recording %d"`, i+1))
	}
	return candor.Submission{Name: "video-topics", Steps: []candor.Step{step}}
}

func demoOpening(w io.Writer, s style) {
	fmt.Fprintln(w, s.bold("candor demo")+"  "+s.yellow("everything about GPUs and models here is SIMULATED; the brain and the workers are real"))
	fmt.Fprintln(w)
	fmt.Fprintf(w, "A night like this happened: %d prompts for one model (%s) were queued, three workers were\n", demoTasks, demoModel)
	fmt.Fprintln(w, "alive, one of them worked, and no log could say why the two others did not. Here is that batch")
	fmt.Fprintln(w, "in fast motion, under two rules of which worker may load the model.")
}
