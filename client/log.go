package client

import (
	"context"
	"io"

	"candor"
)

// LogInfo says what a log is of.
type LogInfo struct {
	Task    candor.TaskID
	Attempt int
	Offset  int64 // of the first byte delivered
	Running bool  // the attempt had not ended when the answer began
}

// Log opens the output of an attempt of a task, by id or unique prefix. With
// q.Follow it goes on while the attempt runs, and ends when ctx does. A log
// that lies on another host is candor.CodeNotFound with where it is.
func (c *Client) Log(ctx context.Context, ref string, q candor.LogQuery) (io.ReadCloser, LogInfo, error) {
	return nil, LogInfo{}, candor.Errorf(candor.CodeUnsupported, "not built yet")
}
