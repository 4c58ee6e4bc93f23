package ollama

import (
	"net"
	"strconv"

	"candor/internal/runtime"
)

// What a Serve's zero values stand for.
const (
	DefaultParallel = 1   // Ollama's own
	DefaultMaxQueue = 512 // Ollama's own
)

// MarkName is runtime's, for those who look for what a server left.
const MarkName = runtime.MarkName

// Serve is how to start `ollama serve` for one card. It is data: package
// process takes Argv, Env and Mark, in a session of its own. A server that was
// killed leaves its runner alive, with the memory; the runner carries the Mark
// and is found by it, with or without a record of the server's number.
type Serve struct {
	// Program is the path of ollama.
	Program string
	// Port on the loopback interface.
	Port int
	// GPU is the card's full UUID; empty: no card, the CPU.
	GPU string
	// AMD: the UUID is for ROCm.
	AMD bool
	// Models is the folder of the models, which servers may share; empty:
	// Ollama's choice within HOME.
	Models string
	// Base is the environment to start from, as KEY=value. What Serve decides
	// replaces it; a user's other settings (OLLAMA_FLASH_ATTENTION, ...) stay.
	Base []string
	// Owner tells servers of one card, or of none, on one host apart: a worker's
	// state directory and name.
	Owner string
	// Context is the default context length in tokens, for requests of others;
	// candor's own name theirs.
	Context int
	// Parallel is the number of slots, MaxQueue how many requests may wait.
	Parallel int
	MaxQueue int
	// MaxLoaded is how many models may be loaded at once, 0: Ollama's choice.
	MaxLoaded int
}

// Argv is the command.
func (s Serve) Argv() []string { return []string{s.Program, "serve"} }

// URL is where the server will answer.
func (s Serve) URL() string { return "http://" + s.address() }

func (s Serve) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// Mark is what the processes of this server carry in their environment.
func (s Serve) Mark() []string { return runtime.Mark(s.GPU, s.Owner) }

// Env is the whole environment, without Mark.
func (s Serve) Env() []string {
	env := []string{
		"OLLAMA_HOST=" + s.address(),
		"OLLAMA_KEEP_ALIVE=-1",
		"OLLAMA_NUM_PARALLEL=" + strconv.Itoa(orElse(s.Parallel, DefaultParallel)),
		"OLLAMA_MAX_QUEUE=" + strconv.Itoa(orElse(s.MaxQueue, DefaultMaxQueue)),
		"OLLAMA_NO_CLOUD=1",
		"OLLAMA_NOPRUNE=1", // another server's blobs are not this one's to remove
	}
	env = append(env, runtime.CardEnv(s.GPU, s.AMD)...)
	if s.Context > 0 {
		env = append(env, "OLLAMA_CONTEXT_LENGTH="+strconv.Itoa(s.Context))
	}
	if s.MaxLoaded > 0 {
		env = append(env, "OLLAMA_MAX_LOADED_MODELS="+strconv.Itoa(s.MaxLoaded))
	}
	if s.Models != "" {
		env = append(env, "OLLAMA_MODELS="+s.Models)
	}
	return runtime.Environ(s.Base, env)
}

func orElse(n, standard int) int {
	if n > 0 {
		return n
	}
	return standard
}

// Options are those of a Client for this server; the clock is still to be set.
func (s Serve) Options() Options {
	return Options{URL: s.URL(), Slots: orElse(s.Parallel, DefaultParallel)}
}
