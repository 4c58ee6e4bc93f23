package llamaserver

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"candor/internal/runtime"
)

// DefaultParallel is the number of slots where a Serve does not say: a prompt
// that waits for its slot costs less than a context that nobody uses.
const DefaultParallel = 1

// Serve is how to start llama-server for one card: as a router, which lets
// models come and go, or with File for one model. It is data: package process
// takes Argv, Env and Mark. A router that was killed leaves nothing: its
// children end when their standard input does.
type Serve struct {
	// Program is the path of llama-server.
	Program string
	// Port on the loopback interface.
	Port int
	// GPU is the card's full UUID; empty: no card, the CPU.
	GPU string
	// AMD: the UUID is for ROCm.
	AMD bool
	// Models is the folder of the models, which servers may share: GGUF files,
	// or a folder for each model of several. An absolute path.
	Models string
	// Dir is a folder for this server alone, absolute: what models are loaded
	// with, and their logs. Prepare makes it.
	Dir string
	// Base is the environment to start from, as KEY=value. What Serve decides
	// replaces it.
	Base []string
	// Owner tells servers of one card, or of none, on one host apart.
	Owner string
	// Parallel is the number of slots of each model.
	Parallel int
	// MaxLoaded is how many models may be loaded at once, 0: any number.
	MaxLoaded int
	// Vectors are models to load for embeddings although their files do not say
	// so, with how a text's vectors are pooled (mean, cls, last).
	Vectors map[string]string
	// File makes a server of this one model, with Context tokens for each
	// conversation, instead of a router.
	File    string
	Context int
}

// Prepare makes what the server reads when it starts.
func (s Serve) Prepare() error {
	if s.File != "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(s.Dir, logFolder), 0o700); err != nil {
		return fmt.Errorf("prepare llama-server: %w", err)
	}
	if err := writePreset(s.Dir, nil); err != nil {
		return fmt.Errorf("prepare llama-server: %w", err)
	}
	return nil
}

// Argv is the command.
func (s Serve) Argv() []string {
	argv := []string{
		s.Program, "--host", "127.0.0.1", "--port", strconv.Itoa(s.Port),
		"--parallel", strconv.Itoa(s.parallel()),
		"--no-kv-unified",  // each slot has its whole context, whatever the others do
		"--cache-ram", "0", // 8 GiB by default, which no list shows
		"--offline", "--no-webui", "--log-colors", "off",
	}
	if s.File != "" {
		argv = append(argv, "--model", s.File, "--alias", strings.TrimSuffix(filepath.Base(s.File), ".gguf"))
		if s.Context > 0 {
			argv = append(argv, "--ctx-size", strconv.Itoa(s.Context*s.parallel()))
		}
		if pooling, ok := s.Vectors[s.File]; ok {
			argv = append(argv, vectorArgs(pooling, s.Context)...)
		}
		return argv
	}
	return append(argv,
		"--models-dir", s.Models, "--models-preset", filepath.Join(s.Dir, presetName),
		"--models-max", strconv.Itoa(s.MaxLoaded), "--no-models-autoload")
}

func vectorArgs(pooling string, context int) []string {
	args := []string{"--embeddings"}
	if pooling != "" {
		args = append(args, "--pooling", pooling)
	}
	if context > 0 {
		args = append(args, "--batch-size", strconv.Itoa(context), "--ubatch-size", strconv.Itoa(context))
	}
	return args
}

// URL is where the server will answer.
func (s Serve) URL() string {
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port))
}

// Mark is what the processes of this server carry in their environment.
func (s Serve) Mark() []string { return runtime.Mark(s.GPU, s.Owner) }

// Env is the whole environment, without Mark.
func (s Serve) Env() []string {
	return slices.DeleteFunc(runtime.Environ(s.Base, runtime.CardEnv(s.GPU, s.AMD)), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(overruling(), name)
	})
}

// overruling are the variables that would overrule what a model's section of
// the preset file says, or lock the adapter out.
func overruling() []string {
	return []string{
		"LLAMA_ARG_CTX_SIZE", "LLAMA_ARG_N_GPU_LAYERS", "LLAMA_ARG_THREADS", "LLAMA_ARG_BATCH", "LLAMA_ARG_UBATCH",
		"LLAMA_ARG_EMBEDDINGS", "LLAMA_ARG_POOLING", "LLAMA_ARG_LOG_FILE", "LLAMA_ARG_LOG_VERBOSITY", "LLAMA_ARG_LOG_JSONL",
		"LLAMA_ARG_MODEL", "LLAMA_ARG_ALIAS", "LLAMA_ARG_HF_REPO", "LLAMA_ARG_MODEL_URL", "LLAMA_ARG_CONTEXT_SHIFT",
		"LLAMA_API_KEY", "LLAMA_ARG_API_KEY_FILE", "LLAMA_ARG_API_PREFIX", "LLAMA_ARG_SSL_KEY_FILE", "LLAMA_ARG_SSL_CERT_FILE",
	}
}

func (s Serve) parallel() int {
	if s.Parallel > 0 {
		return s.Parallel
	}
	return DefaultParallel
}

// Options are those of a Client for this server; the clock is still to be set.
func (s Serve) Options() Options {
	o := Options{URL: s.URL()}
	if s.File == "" {
		o.Managed = &Managed{Dir: s.Dir, Parallel: s.parallel(), Vectors: s.Vectors}
	}
	return o
}
