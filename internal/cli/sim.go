package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"candor"
	"candor/internal/simrt"
)

// simFlags are what a simulated model server is like.
type simFlags struct {
	listen          string
	models, library []string
	vram, ram       string
	faults          []string
	opts            simrt.Options // what needs no reading
	model           simrt.Model   // what all models have in common
}

func (a *app) simVerb() *cobra.Command {
	var s simFlags
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Run a simulated model server, to try things out without a GPU",
		Long: `Plays a model server in the foreground until a signal: it speaks Ollama's API, has
models, video memory, load times and token rates as it is told, answers with
nonsense, and misbehaves to order. No model is behind it, and everything it says is
marked as simulated. Workers take it for an Ollama: --model-server URL, or models.url.

A fault is KIND or KIND:key=value,..., with the keys model, times (default: always),
after (tokens of an answer before it), delay (of slow_load) and share (of on_cpu: what
is on the card). A server that runs takes more of them: POST /simulated/faults
{"kind": "hang", "times": 1}; DELETE takes them back. The kinds:

` + filled(words(simrt.Kinds())),
		Example: lines("candor sim --model qwen2.5:7b=5GiB --listen 127.0.0.1:11500",
			"candor sim --model small=2GiB --model big=20GiB --vram 24GiB --load-time 10s",
			"candor sim --model m --fault slow_load:delay=30s,times=1 --fault hang:after=20",
			"candor worker --name rig --model-server http://127.0.0.1:11500"),
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sim(cmd.Context(), s) },
	}
	f := cmd.Flags()
	f.StringVar(&s.listen, "listen", "127.0.0.1:0", "`address`; port 0 is any free one")
	f.StringArrayVar(&s.models, "model", nil, "a model that it has: `NAME[=SIZE]`, again for each; without a size 4GiB")
	f.StringArrayVar(&s.library, "library", nil, "a model that can be pulled: `NAME[=SIZE]`, again for each")
	f.StringVar(&s.vram, "vram", "24GiB", "memory of its card, a `size`")
	f.StringVar(&s.ram, "ram", "0", "memory beside the card, a `size`: what a model takes too much goes there, and is slow")
	f.IntVar(&s.opts.Slots, "slots", simrt.DefaultSlots, "`N` answers of a model at once")
	f.IntVar(&s.opts.MaxLoaded, "max-loaded", simrt.DefaultMaxLoaded, "`N` models in memory at once")
	f.DurationVar(&s.model.LoadTime, "load-time", 3*time.Second, "`time` that a load takes")
	f.Float64Var(&s.model.Rate, "rate", 100, "`tokens` per second of an answer; 0: all at once")
	f.IntVar(&s.model.Length, "length", simrt.DefaultLength, "`tokens` of a usual answer")
	f.IntVar(&s.model.Context, "context", 32768, "`tokens` of the longest conversation")
	f.Uint64Var(&s.opts.Seed, "seed", 0, "`number` that decides the answers")
	f.StringArrayVar(&s.faults, "fault", nil, "a `fault` from the start, again for each")
	_ = cmd.RegisterFlagCompletionFunc("fault", func(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		return beginning(prefix, words(simrt.Kinds())), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	return cmd
}

// filled is a list in lines that fit a help page.
func filled(list []string) string {
	const width = 80
	text, used := "", 0
	for i, word := range list {
		if i < len(list)-1 {
			word += ","
		}
		switch {
		case i == 0:
		case used+len(word) >= width:
			text, used = text+"\n", 0
		default:
			text, used = text+" ", used+1
		}
		text, used = text+word, used+len(word)
	}
	return text
}

// sim runs the server until a signal, or until a fault kills it.
func (a *app) sim(ctx context.Context, s simFlags) error {
	o, err := s.options()
	if err != nil {
		return err
	}
	faults, err := readFaults(s.faults)
	if err != nil {
		return err
	}
	o.Clock = a.clk
	err = simrt.Run(ctx, o, s.listen, func(url string) { a.simWelcome(url, o, faults) }, faults...)
	if errors.Is(err, syscall.EADDRINUSE) {
		return &candor.Error{Code: candor.CodePortTaken, Message: s.listen + " is taken", Hint: "choose another: --listen, or port 0 for any free one", Cause: err}
	}
	return err
}

// simWelcome says where it is, and first of all that it is none.
func (a *app) simWelcome(url string, o simrt.Options, faults []simrt.Fault) {
	fmt.Fprintf(a.Out, "simulated model server at %s: speaks Ollama's API, and no model is behind it\n", url)
	var names []string
	for _, m := range o.Models {
		names = append(names, fmt.Sprintf("%s (%s)", m.Name, candor.Bytes(m.Size)))
	}
	a.talk("it has a card of %s, and %s", candor.Bytes(o.VRAM), cmp.Or(joinAnd(names), "no models"))
	for _, f := range faults {
		a.talk("fault: %s", f.Kind)
	}
	a.talk("use it:  candor worker --model-server %s", url)
}

func (s *simFlags) options() (simrt.Options, error) {
	o := s.opts
	if s.model.LoadTime < 0 || s.model.Rate < 0 {
		return o, usage("--load-time and --rate are not negative")
	}
	var failed [4]error
	o.VRAM, failed[0] = memory("--vram", s.vram)
	o.RAM, failed[1] = memory("--ram", s.ram)
	o.Models, failed[2] = s.modelsOf("--model", s.models)
	o.Library, failed[3] = s.modelsOf("--library", s.library)
	return o, cmp.Or(failed[:]...)
}

func memory(flag, text string) (int64, error) {
	size, err := candor.ParseBytes(text)
	if err != nil || size < 0 {
		return 0, usage("%s %q is no size", flag, text)
	}
	return int64(size), nil
}

// modelsOf reads NAME[=SIZE] of a flag.
func (s *simFlags) modelsOf(flag string, list []string) ([]simrt.Model, error) {
	var models []simrt.Model
	for _, text := range list {
		name, sizeText, sized := strings.Cut(text, "=")
		size := 4 * candor.GiB
		var err error
		if sized {
			size, err = candor.ParseBytes(sizeText)
		}
		if err != nil || size <= 0 || name == "" {
			return nil, usage("%s %q: write it like qwen2.5:7b=5GiB", flag, text)
		}
		m := s.model
		m.Name, m.Size = name, int64(size)
		models = append(models, m)
	}
	return models, nil
}
