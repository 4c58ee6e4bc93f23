package plan

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"candor"
)

// printable tells whether a character of an untrusted text may go to a terminal.
func printable(r rune) bool { return r == ' ' || unicode.IsGraphic(r) && !unicode.Is(unicode.Zs, r) }

// didYouMean is a hint that names the candidate nearest to what was written, or
// else lists them all under a title.
func didYouMean(written string, candidates []string, title string) string {
	if best := nearest(written, candidates); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(candidates) == 0 {
		return ""
	}
	const most = 20
	if len(candidates) > most {
		candidates = append(candidates[:most:most], "…")
	}
	return title + ": " + strings.Join(candidates, ", ")
}

// nearest is the candidate that was probably meant, or "". Words of other tools
// go before words that look alike.
func nearest(written string, candidates []string) string {
	if other := otherWord(strings.ToLower(written)); slices.Contains(candidates, other) {
		return other
	}
	return candor.Nearest(written, candidates)
}

// otherWord is our word for what other tools call it.
func otherWord(key string) string {
	switch key {
	case "depends_on", "depends-on", "dependson", "depends", "dependencies", "deps", "after":
		return "needs"
	case "cmd", "argv", "args", "exec":
		return "command"
	case "script", "shell", "sh":
		return "run"
	case "for_each", "for-each", "matrix", "loop", "with_items":
		return "foreach"
	case "steps", "jobs":
		return "tasks"
	case "params", "parameters", "vars", "variables", "args_schema":
		return "inputs"
	case "environment":
		return "env"
	case "memory", "gpu_memory":
		return "vram"
	case "retry", "max_retries", "attempts":
		return "retries"
	case "num_predict", "n_predict", "max_new_tokens", "max_completion_tokens", "max_output_tokens":
		return "max_tokens"
	case "context", "context_length", "n_ctx", "ctx", "ctx_size", "max_model_len":
		return "num_ctx"
	case "format", "response_format", "json_schema", "output_schema", "grammar":
		return "schema"
	case "system_prompt", "instructions":
		return "system"
	case "embedding", "embeddings":
		return "embed"
	case "reasoning", "thinking":
		return "think"
	case "jsonl", "csv", "rows":
		return "file"
	case "batch_size", "chunk_size", "chunks", "group":
		return "chunk"
	case "if", "condition", "only_if", "enabled":
		return "when"
	case "ttl", "deadline", "expire":
		return "expires"
	}
	return ""
}
