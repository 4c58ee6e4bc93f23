package modelhost

import (
	"candor/internal/clock"
	"candor/internal/runtime"
	"candor/internal/runtime/llamaserver"
	"candor/internal/runtime/ollama"
)

// Launch says how to start a server on a port of the loopback interface. It is
// asked anew for every start. Mark is the same for every port.
type Launch func(port int) Start

// Start is one way to start a server, and to speak to it.
type Start struct {
	Argv []string
	Env  []string // the whole environment, without Mark
	Mark []string // see process.Spec.Mark
	Dir  string   // to run it in; empty: Options.Dir
	URL  string   // where it will answer
	// Server speaks to it. If it has a method Close(), that is called when the
	// server has ended.
	Server runtime.Server
}

// LaunchOllama starts s, whose Port is chosen by the host.
func LaunchOllama(s ollama.Serve, clk clock.Clock) Launch {
	return func(port int) Start {
		s.Port = port
		o := s.Options()
		o.Clock = clk
		return Start{Argv: s.Argv(), Env: s.Env(), Mark: s.Mark(), URL: s.URL(), Server: ollama.New(o)}
	}
}

// LaunchLlamaServer starts s, whose Port is chosen by the host.
func LaunchLlamaServer(s llamaserver.Serve, clk clock.Clock) (Launch, error) {
	if err := s.Prepare(); err != nil {
		return nil, err
	}
	return func(port int) Start {
		s.Port = port
		o := s.Options()
		o.Clock = clk
		return Start{Argv: s.Argv(), Env: s.Env(), Mark: s.Mark(), URL: s.URL(), Server: llamaserver.New(o)}
	}, nil
}
