package openai

import (
	"net/http"
	"os"
	"strings"

	"candor/internal/runtime"
)

// keyFile is the path of a file that holds a key; empty: there is none.
type keyFile string

// header authorises a request. The file is read each time, so that a key can
// be replaced while the worker runs.
func (k keyFile) header(h http.Header) error {
	if k == "" {
		return nil
	}
	text, err := os.ReadFile(string(k))
	if err != nil {
		return runtime.Refuse("the key for the model server cannot be read: %v", err)
	}
	key := firstLine(text)
	if key == "" {
		return runtime.Refuse("the key for the model server cannot be read: %s is empty", string(k))
	}
	h.Set("Authorization", "Bearer "+key)
	return nil
}

// read is the key, for those who must not repeat it.
func (k keyFile) read() string {
	if k == "" {
		return ""
	}
	text, err := os.ReadFile(string(k))
	if err != nil {
		return "" // no request could have held it
	}
	return firstLine(text)
}

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line)
}
