package exchange

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
)

// ReadLine returns the next line that is not empty; a last one without its end
// comes with io.EOF.
func ReadLine(lines *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := lines.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(line) > MaxReply:
			return nil, fmt.Errorf("a line is longer than %d bytes", MaxReply)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		}
		line = bytes.TrimSpace(line)
		if err != nil || len(line) > 0 {
			return line, err
		}
	}
}

// IsJSON says whether a reply calls itself JSON, or a stream of it.
func IsJSON(resp *http.Response) bool {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || kind == "application/x-ndjson" || kind == "text/event-stream")
}

// Describe is what a stranger says of itself.
func Describe(resp *http.Response) string {
	if name := resp.Header.Get("Server"); name != "" {
		return "it calls itself " + name
	}
	if kind := resp.Header.Get("Content-Type"); kind != "" {
		return "content type " + kind
	}
	return "no content type"
}
