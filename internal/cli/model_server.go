package cli

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"candor"
	"candor/internal/clock"
	"candor/internal/config"
	"candor/internal/gpu"
	"candor/internal/modelhost"
	"candor/internal/process"
	"candor/internal/runtime"
	"candor/internal/runtime/llamaserver"
	"candor/internal/runtime/ollama"
	"candor/internal/runtime/openai"
)

// modelServer is what a worker's model server is to be.
type modelServer struct {
	config.Models
	kind runtime.Kind // "": none
	url  string       // of one that runs already; "": the worker starts its own
	clk  clock.Clock
}

// chooseServer reads the settings, and what the worker was told when it was
// started: none, the address of a server that runs, :PORT for one of its own, or
// nothing in particular.
func chooseServer(m config.Models, told string, clk clock.Clock) (modelServer, error) {
	s := modelServer{Models: m, kind: runtime.Kind(m.Server), clk: clk}
	if told == "" && len(m.URL) > 0 {
		told = m.URL[0]
	}
	switch port, ownPort := strings.CutPrefix(told, ":"); {
	case told == noServer, m.Server == noServer:
		s.kind = ""
	case ownPort:
		n, err := strconv.Atoi(port)
		if err != nil || n < 0 || n > 65535 {
			return s, usage("--model-server %s: a port is a number up to 65535", told)
		}
		s.Port = n
	case told != "" && told != ownServer:
		s.url = told
	}
	if s.kind == "auto" {
		s.kind = runtime.Ollama
		if _, err := s.program(); err != nil && s.url == "" {
			s.kind = ""
		}
	}
	if s.kind == runtime.OpenAI && s.url == "" {
		return s, &candor.Error{
			Code: candor.CodeInvalid, Message: "models.server is openai, and models.url names no server",
			Hint: "set models.url to the server's address, like http://127.0.0.1:8000",
		}
	}
	return s, nil
}

// modelHost keeps a worker's model server; nil: it has none.
func (a *app) modelHost(cfg *config.Loaded, name, told string, card *gpu.GPU, family *process.Family, log *slog.Logger) (*modelhost.Host, error) {
	s, err := chooseServer(cfg.Models, told, a.clk)
	if err != nil || s.kind == "" {
		return nil, err
	}
	dir := filepath.Join(string(cfg.State), "workers", name)
	o := modelhost.Options{
		Name: name, Kind: s.kind, Log: log, Clock: a.clk, Dir: dir, Family: family,
		LogFile: filepath.Join(string(cfg.Log.Dir), name+"-"+string(s.kind)+".log"),
		Port:    s.Port, Most: s.MaxLoaded, Slots: s.Parallel, Context: s.Context, Threads: s.Threads,
		OnGPU:       s.OnGPU == "require" || s.OnGPU == "auto" && card != nil,
		LoadTimeout: s.LoadTimeout.D(), TokenPatience: s.Patience.D(),
	}
	if card != nil && card.Vendor != simulatedCard {
		o.Card = modelhost.CardOf(gpu.Exec{}, card.UUID)
	}
	if s.url != "" {
		o.URL = s.url
		o.Server, err = s.attached()
	} else {
		o.Launch, err = s.launch(dir, card)
	}
	if err != nil {
		return nil, err
	}
	return modelhost.New(o)
}

// program finds the program of a model server that is to be started.
func (s *modelServer) program() (string, error) {
	name := s.Command
	if name == "" {
		name = string(s.kind)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", &candor.Error{
			Code: candor.CodeInvalid, Message: fmt.Sprintf("the model server %s cannot be started: there is no program %s", s.kind, name),
			Hint: "install it, name it by models.command, or name one that runs by models.url", Cause: err,
		}
	}
	return filepath.Abs(path)
}

// attached is the adapter to a server that runs already.
func (s *modelServer) attached() (runtime.Server, error) {
	switch s.kind {
	case runtime.Ollama:
		return ollama.New(ollama.Options{URL: s.url, Clock: s.clk, Slots: s.Parallel}), nil
	case runtime.LlamaServer:
		return llamaserver.New(llamaserver.Options{URL: s.url, Clock: s.clk}), nil
	case runtime.OpenAI:
		return openai.New(openai.Options{
			URL: s.url, Clock: s.clk, Slots: s.Parallel, KeyFile: string(s.APIKeyFile), Context: s.Context,
		}), nil
	}
	return nil, candor.Errorf(candor.CodeInternal, "no adapter for %q", s.kind)
}

// launch is how a worker starts a model server of its own. owner tells its
// processes from those of other workers.
func (s *modelServer) launch(owner string, card *gpu.GPU) (modelhost.Launch, error) {
	program, err := s.program()
	if err != nil {
		return nil, err
	}
	switch s.kind {
	case runtime.Ollama:
		serve := ollama.Serve{
			Program: program, Models: string(s.Dir), Base: os.Environ(), Owner: owner, Context: s.Context,
			Parallel: s.Parallel, MaxLoaded: s.MaxLoaded,
		}
		if card != nil {
			serve.GPU, serve.AMD = card.UUID, card.Vendor == gpu.AMD
		}
		return modelhost.LaunchOllama(serve, s.clk), nil
	case runtime.LlamaServer:
		return s.launchLlamaServer(program, owner, card)
	}
	return nil, candor.Errorf(candor.CodeInternal, "no way to start %q", s.kind)
}

// launchLlamaServer starts a router of models.dir; what it needs of its own
// lies in the worker's folder, owner.
func (s *modelServer) launchLlamaServer(program, owner string, card *gpu.GPU) (modelhost.Launch, error) {
	if s.Dir == "" {
		return nil, &candor.Error{
			Code: candor.CodeInvalid, Message: "models.server is llama-server, and models.dir names no folder of GGUF files",
			Hint: "set models.dir to the folder that holds them",
		}
	}
	models, err := filepath.Abs(string(s.Dir))
	if err != nil {
		return nil, err
	}
	serve := llamaserver.Serve{
		Program: program, Models: models, Dir: filepath.Join(owner, "llama-server"), Base: os.Environ(), Owner: owner,
		Parallel: s.Parallel, MaxLoaded: s.MaxLoaded,
	}
	if card != nil {
		serve.GPU, serve.AMD = card.UUID, card.Vendor == gpu.AMD
	}
	return modelhost.LaunchLlamaServer(serve, s.clk)
}
