package client

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"candor"
)

// maxLine is the longest line of a stream that is read: one event.
const maxLine = 16 << 20

// frame is one message of a stream: an event, or only how far the stream is.
type frame struct {
	id    int64
	event *candor.Event // nil: nothing that matches up to id
}

// readEvents reads server-sent events as candor's server writes them: an id,
// at most one line of data, a blank line. It returns io.EOF at a clean end; a
// frame that is cut in the middle is not delivered.
func readEvents(r io.Reader, fn func(frame) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	f := frame{id: -1}
	for s.Scan() {
		name, value, _ := bytes.Cut(s.Bytes(), []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "id":
			id, err := strconv.ParseInt(string(value), 10, 64)
			if err != nil || id < 0 {
				return candor.Errorf(candor.CodeUnavailable, "the stream has an event of id %q", value)
			}
			f.id = id
		case "data":
			f.event = new(candor.Event)
			if err := json.Unmarshal(value, f.event); err != nil {
				return &candor.Error{Code: candor.CodeUnavailable, Message: "the stream has an event that is not one", Cause: err}
			}
		case "":
			if len(value) > 0 || f.id < 0 { // a comment, or nothing gathered
				continue
			}
			if err := fn(f); err != nil {
				return err
			}
			f = frame{id: -1}
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	return io.EOF
}
