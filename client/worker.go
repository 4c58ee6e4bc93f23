package client

import (
	"context"

	"candor"
	"candor/internal/httpapi/wire"
)

// Register is a worker's first word; its name stands in req.Info.
func (c *Client) Register(ctx context.Context, req candor.RegisterRequest) (candor.RegisterReply, error) {
	return post[candor.RegisterReply](ctx, c, wire.OpRegister, req)
}

// Claim brings results and asks for work. It answers within req.Wait and the
// client's timeout. Any number of claims of one worker may be under way.
func (c *Client) Claim(ctx context.Context, worker string, req candor.ClaimRequest) (candor.ClaimReply, error) {
	var reply candor.ClaimReply
	err := c.call(ctx, request{op: wire.OpClaim, names: []string{worker}, body: &req, wait: req.Wait.D()}, &reply)
	return reply, err
}

// Heartbeat tells what the worker does and takes orders. The brain may hold the
// answer for req.Wait.
func (c *Client) Heartbeat(ctx context.Context, worker string, req candor.HeartbeatRequest) (candor.HeartbeatReply, error) {
	var reply candor.HeartbeatReply
	err := c.call(ctx, request{op: wire.OpHeartbeat, names: []string{worker}, body: req, wait: req.Wait.D()}, &reply)
	return reply, err
}

// Leave is a worker's last word.
func (c *Client) Leave(ctx context.Context, worker string, req candor.LeaveRequest) error {
	_, err := post[struct{}](ctx, c, wire.OpLeave, req, worker)
	return err
}

// Host is a supervisor's account of its workers' processes. The brain may hold
// the answer for report.Wait.
func (c *Client) Host(ctx context.Context, report candor.HostReport) (candor.HostReply, error) {
	var reply candor.HostReply
	err := c.call(ctx, request{op: wire.OpHost, body: report, wait: report.Wait.D()}, &reply)
	return reply, err
}
