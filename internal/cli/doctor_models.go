package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"candor"
	"candor/internal/config"
	"candor/internal/runtime"
	"candor/internal/runtime/ollama"
)

// modelsShown is how many models of a server are named.
const modelsShown = 8

// checkModels looks at the model servers that workers of this machine would use.
func (a *app) checkModels(ctx context.Context, m config.Models) []finding {
	const check = "models"
	if m.Server == noServer {
		return []finding{ok(check, "models.server is none: workers here take no llm tasks")}
	}
	var findings []finding
	for _, url := range m.URL {
		findings = append(findings, a.checkServer(ctx, m, url))
	}
	if len(findings) > 0 {
		return findings
	}
	s, err := chooseServer(m, "", a.clk)
	if err == nil && s.kind != "" {
		_, err = s.launch("", nil)
	}
	switch {
	case err != nil:
		return []finding{fail(check, cmp.Or(hintOf(err), "look at models.server"), "%v", err)}
	case s.kind == runtime.LlamaServer:
		return []finding{ok(check, "workers start a llama-server over %s", s.Dir)}
	default:
		return []finding{a.checkOllama(ctx, &s)}
	}
}

// checkServer asks a server that the settings name.
func (a *app) checkServer(ctx context.Context, m config.Models, url string) finding {
	const check = "models"
	s, err := chooseServer(m, url, a.clk)
	if err != nil {
		return fail(check, cmp.Or(hintOf(err), "look at models.url"), "%v", err)
	}
	server, err := s.attached()
	if err != nil {
		return fail(check, cmp.Or(hintOf(err), "look at models.server"), "%v", err)
	}
	return served(ctx, check, server, func(err error) finding {
		return warn(check, "start it, or mend models.url", "%v", err)
	})
}

// checkOllama asks the Ollama where OLLAMA_HOST says, and looks for the program
// that workers would start.
func (a *app) checkOllama(ctx context.Context, s *modelServer) finding {
	const check = "ollama"
	url := ollamaURL(a.getenv("OLLAMA_HOST"))
	program, missing := s.program()
	f := served(ctx, check, ollama.New(ollama.Options{URL: url, Clock: a.clk}), func(err error) finding {
		switch {
		case runtime.CodeOf(err) != runtime.CodeGone:
			return warn(check, "look at $OLLAMA_HOST", "%v", err)
		case missing != nil:
			return warn(check, "install it from https://ollama.com/download, then: ollama serve; or set models.dir for llama-server, or models.url for one that runs",
				"no Ollama answers at %s; llm tasks need a model server, others do not", url)
		default:
			return ok(check, "workers start %s; none answers at %s now to say which models there are", program, url)
		}
	})
	if f.Grade == gradeOK && missing != nil {
		return warn(check, "CANDOR_MODELS_URL="+url+", or models.url in the configuration",
			"%s; but workers have no program to start, and are not told to use this one", f.Text)
	}
	return f
}

// served says which server answers and what it could load. silent words the
// error of one that does not answer as it should.
func served(ctx context.Context, check string, server runtime.Server, silent func(error) finding) finding {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	who, err := server.Identify(ctx)
	if err != nil {
		return silent(err)
	}
	models, err := server.List(ctx)
	if err != nil {
		return silent(err)
	}
	text := fmt.Sprintf("%s %s answers at %s", who.Kind, who.Version, who.URL)
	if who.Simulated {
		text = "simulated " + text
	}
	if len(models) == 0 {
		return warn(check, "candor model pull MODEL, or: ollama pull MODEL", "%s, and has no models", text)
	}
	var names []string
	for _, m := range models {
		names = append(names, candor.ModelName(m.Name))
	}
	if n := len(names) - modelsShown; n > 0 {
		names = append(names[:modelsShown], fmt.Sprintf("%d more", n))
	}
	return ok(check, "%s, with %s", text, joinAnd(names))
}

// ollamaURL reads OLLAMA_HOST as Ollama's own client does: scheme, host and port
// are each optional.
func ollamaURL(host string) string {
	host = strings.TrimSpace(strings.Trim(strings.TrimSpace(host), `"'`))
	scheme, rest, ok := strings.Cut(host, "://")
	if !ok {
		scheme, rest = "http", host
	}
	rest, _, _ = strings.Cut(rest, "/")
	name, port := rest, ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		name, port = rest[:i], rest[i+1:]
	}
	if name == "" || name == "0.0.0.0" {
		name = "127.0.0.1"
	}
	if port == "" {
		port = map[string]string{"http": "11434", "https": "443"}[scheme]
		if ok && scheme == "http" {
			port = "80"
		}
	}
	return fmt.Sprintf("%s://%s:%s", scheme, name, port)
}
