package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"

	"candor/internal/runtime/ollama"
	"candor/internal/tinygguf"
)

// server is the model server that both ways ask.
type server struct {
	kind, url, model string
	process          *process // nil: it ran before us
}

// startServer starts the server that was asked for, if it does not run already.
func startServer(ctx context.Context, s settings, dir string) (*server, error) {
	if s.server != "" {
		return &server{kind: "given", url: s.server, model: s.model}, nil
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if s.ollama != "" {
		return startOllama(ctx, s, dir, port)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	v := &server{kind: "simulated", url: "http://" + address, model: "simulated:7b"}
	v.process, err = start(ctx, "the simulated server", "", nil, "sim", "--listen", address, "--model", v.model,
		"--slots", strconv.Itoa(s.slots), "--rate", fmt.Sprint(s.rate), "--length", strconv.Itoa(s.length), "--load-time", "200ms")
	if err != nil {
		return nil, err
	}
	return v, v.process.until(ctx, v.answers)
}

// startOllama starts a real one with a model of random weights: large enough
// that a row takes a second, as rows do, small enough to be made here.
func startOllama(ctx context.Context, s settings, dir string, port int) (*server, error) {
	serve := ollama.Serve{
		Program: s.ollama, Port: port, Models: filepath.Join(dir, "models"), Owner: dir, Parallel: s.slots,
		Base: []string{"HOME=" + dir},
	}
	v := &server{kind: "ollama", url: serve.URL(), model: "random"}
	var err error
	if v.process, err = start(ctx, "ollama", s.ollama, append(serve.Env(), serve.Mark()...), serve.Argv()[1:]...); err != nil {
		return nil, err
	}
	if err := v.process.until(ctx, v.answers); err != nil {
		return nil, err
	}
	return v, v.brew(ctx, tinygguf.Tiny(v.model).Slow())
}

// brew makes a model of random weights on a real Ollama.
func (v *server) brew(ctx context.Context, m tinygguf.Params) error {
	var file bytes.Buffer
	if err := tinygguf.Write(&file, m); err != nil {
		return err
	}
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(file.Bytes()))
	if err := v.post(ctx, "/api/blobs/"+digest, "application/octet-stream", file.Bytes()); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{
		"model": m.Name, "stream": false, "files": map[string]string{m.Name + ".gguf": digest},
		"parameters": map[string]any{"num_thread": 1}, // more of them spin against each other
	})
	if err != nil {
		return err
	}
	return v.post(ctx, "/api/create", "application/json", body)
}

func (v *server) post(ctx context.Context, path, kind string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, text)
	}
	return err
}

func (v *server) answers(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+"/api/version", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

func (v *server) stop() error {
	if v.process == nil {
		return nil
	}
	return v.process.stop()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
