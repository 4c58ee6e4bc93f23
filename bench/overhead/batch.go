package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// What both ways ask for, so that a row is the same work on either. A seed that
// is given makes a row's answer the same each time.
const (
	contextLen = 4096
	seed       = 7
	step       = "answers"
)

// batch is the rows of a turn: their prompts, and their plan.
type batch struct {
	settings
	dir    string
	prompt []string
	model  string
}

func newBatch(s settings, server *server, dir string) (batch, error) {
	b := batch{settings: s, dir: dir, model: server.model}
	for i := range s.rows {
		b.prompt = append(b.prompt, fmt.Sprintf("Say something about row number %d.", i))
	}
	return b, nil
}

// first is a batch of the first n rows, or of all if there are fewer.
func (b batch) first(n int) batch {
	b.prompt = b.prompt[:min(n, len(b.prompt))]
	return b
}

// plan writes the plan file of the batch and returns its path.
func (b batch) plan() (string, error) {
	rows := filepath.Join(b.dir, fmt.Sprintf("rows-%d.jsonl", len(b.prompt)))
	var lines []byte
	for _, p := range b.prompt {
		line, err := json.Marshal(map[string]string{"prompt": p})
		if err != nil {
			return "", err
		}
		lines = append(append(lines, line...), '\n')
	}
	if err := os.WriteFile(rows, lines, 0o600); err != nil {
		return "", err
	}
	each := map[string]any{"file": rows}
	if b.chunk > 1 {
		each["chunk"] = b.chunk
	}
	plan, err := json.Marshal(map[string]any{ // JSON is YAML
		"name": "overhead",
		"tasks": map[string]any{step: map[string]any{
			"class": "llm", "model": b.model, "foreach": each, "prompt": "{{ item.prompt }}", "max_tokens": b.tokens,
			"options": map[string]any{"num_ctx": contextLen, "seed": seed},
		}},
	})
	if err != nil {
		return "", err
	}
	path := filepath.Join(b.dir, fmt.Sprintf("plan-%d.yaml", len(b.prompt)))
	return path, os.WriteFile(path, plan, 0o600)
}
