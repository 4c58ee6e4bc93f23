package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"candor"
	"candor/internal/httpapi/wire"
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
// that lies on another host is candor.CodeNotFound; the error's detail tells
// worker, host and dir, and tail if its worker sent one. A reader that is cut
// off in the middle returns an error, never a clean end.
func (c *Client) Log(ctx context.Context, ref string, q candor.LogQuery) (io.ReadCloser, LogInfo, error) {
	resp, err := c.open(ctx, request{op: wire.OpLog, names: []string{ref}, query: wire.LogValues(q)})
	if err != nil {
		return nil, LogInfo{}, err
	}
	info, err := logInfo(resp.Header)
	if err != nil {
		return nil, LogInfo{}, errors.Join(&candor.Error{Code: candor.CodeUnavailable,
			Message: "the answer of " + c.where + " is not a brain's", Cause: err}, resp.Body.Close())
	}
	return resp.Body, info, nil
}

// open makes a call whose answer is a stream: the client's timeout holds until
// its head has come, from then on ctx alone ends it.
func (c *Client) open(ctx context.Context, req request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	answered := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-answered:
		case <-ctx.Done():
		case <-c.opts.Clock.After(c.opts.Timeout):
			cancel(errSilent)
		}
	}()
	resp, err := c.send(ctx, req, nil)
	close(answered)
	<-watched
	if err != nil {
		err = c.fault(ctx, c.opts.Timeout, err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &streamBody{ReadCloser: resp.Body, client: c, ctx: ctx, cancel: cancel}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		return nil, c.refusal(resp)
	}
	return resp, nil
}

// streamBody ends its request's context when it is closed, and gives reading
// errors the client's codes.
type streamBody struct {
	io.ReadCloser
	client *Client
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (b *streamBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.client.fault(b.ctx, b.client.silence, err)
	}
	return n, err
}

func (b *streamBody) Close() error {
	b.cancel(nil)
	return b.ReadCloser.Close()
}

func logInfo(h http.Header) (LogInfo, error) {
	var info LogInfo
	var errs [4]error
	info.Task, errs[0] = candor.ParseTaskID(h.Get(wire.HeaderTask))
	info.Attempt, errs[1] = strconv.Atoi(h.Get(wire.HeaderAttempt))
	info.Offset, errs[2] = strconv.ParseInt(h.Get(wire.HeaderOffset), 10, 64)
	info.Running, errs[3] = strconv.ParseBool(h.Get(wire.HeaderRunning))
	return info, errors.Join(errs[:]...)
}
