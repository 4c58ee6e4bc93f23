package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"runtime/debug"

	"candor"
	"candor/internal/httpapi/wire"
	"candor/internal/record"
	"candor/internal/sched"
)

// call is one request on its way through a handler.
type call struct {
	*Server
	w     http.ResponseWriter
	r     *http.Request
	route wire.Route
}

func (c *call) ctx() context.Context { return c.r.Context() }

// handler answers the calls of one route. Its types are held against the route
// table by a test.
type handler struct {
	run            func(*call) error
	request, reply reflect.Type
}

// serve is the frame of every route: guard first, then the handler, then the
// error if it left one.
func (s *Server) serve(route wire.Route, run func(*call) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.survive(w, r)
		if err := s.authorize(r, route); err != nil {
			s.refuse(w, r, err)
			return
		}
		c := &call{Server: s, w: w, r: r, route: route}
		if err := run(c); err != nil {
			s.refuse(w, r, unlessStopping(r, err))
		}
	})
}

// unlessStopping is err, unless it is only that a brain that stops can read
// nothing any more: that is no fault of its own, and asking again may help.
func unlessStopping(r *http.Request, err error) error {
	if r.Context().Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	return &candor.Error{Code: candor.CodeUnavailable, Message: "the brain is stopping", Hint: "try again when it is back", Cause: err}
}

// survive keeps a panic in one request from silently cutting its connection.
func (s *Server) survive(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	s.logger.ErrorContext(r.Context(), fmt.Sprintf("crashed while answering %s: %v", r.Pattern, p),
		record.KeyCode, "http.crashed", record.KeyStack, string(debug.Stack()))
	s.refuse(w, r, candor.Errorf(candor.CodeInternal, "the brain's server crashed on this request"))
}

// command answers a route whose body becomes a command.
func command[Req, Reply any](make func(c *call, req Req) sched.Command) handler {
	return handler{request: reflect.TypeFor[Req](), reply: reflect.TypeFor[Reply](), run: func(c *call) error {
		var req Req
		if err := c.body(&req); err != nil {
			return err
		}
		reply, err := do[Reply](c.ctx(), c.Server, make(c, req))
		if err != nil {
			return err
		}
		return c.answer(reply)
	}}
}

// notice answers a route whose command has no reply.
func notice[Req any](make func(c *call, req Req) sched.Command) handler {
	return handler{request: reflect.TypeFor[Req](), run: func(c *call) error {
		var req Req
		if err := c.body(&req); err != nil {
			return err
		}
		if _, err := c.opts.Brain.Do(c.ctx(), make(c, req)); err != nil {
			return err
		}
		return c.answer(struct{}{})
	}}
}

// read answers a route without a body.
func read[Reply any](get func(c *call) (Reply, error)) handler {
	return handler{reply: reflect.TypeFor[Reply](), run: func(c *call) error {
		reply, err := get(c)
		if err != nil {
			return err
		}
		return c.answer(reply)
	}}
}

// do asks the brain and holds it to the type its command promises.
func do[Reply any](ctx context.Context, s *Server, cmd sched.Command) (Reply, error) {
	reply, err := s.opts.Brain.Do(ctx, cmd)
	if err != nil {
		var none Reply
		return none, err
	}
	typed, ok := reply.(Reply)
	if !ok {
		return typed, candor.Errorf(candor.CodeInternal, "the brain answered %T with %T, not %T", cmd, reply, typed)
	}
	return typed, nil
}

// handlers has one entry for each operation of the route table.
func handlers() map[wire.Op]handler {
	change := func(make func(candor.ChangeRequest) sched.Command) handler {
		return command[candor.ChangeRequest, candor.ChangeReply](func(c *call, req candor.ChangeRequest) sched.Command { return make(c.byPeer(req)) })
	}
	return map[wire.Op]handler{
		wire.OpSubmit: command[candor.Submission, candor.SubmitReply](func(c *call, sub candor.Submission) sched.Command {
			return sched.Submit{Sub: sub, By: c.peer()}
		}),
		wire.OpPreview: command[candor.Submission, candor.Preview](func(_ *call, sub candor.Submission) sched.Command {
			return sched.PreviewPlan{Sub: sub}
		}),
		wire.OpCancel:  change(func(r candor.ChangeRequest) sched.Command { return sched.Cancel{Req: r} }),
		wire.OpRetry:   change(func(r candor.ChangeRequest) sched.Command { return sched.Retry{Req: r} }),
		wire.OpPause:   change(func(r candor.ChangeRequest) sched.Command { return sched.Pause{Req: r} }),
		wire.OpResume:  change(func(r candor.ChangeRequest) sched.Command { return sched.Resume{Req: r} }),
		wire.OpDrain:   change(func(r candor.ChangeRequest) sched.Command { return sched.Drain{Req: r} }),
		wire.OpUndrain: change(func(r candor.ChangeRequest) sched.Command { return sched.Undrain{Req: r} }),
		wire.OpOrder: command[candor.OrderRequest, candor.OrderReply](func(c *call, req candor.OrderRequest) sched.Command {
			req.By = c.by(req.By)
			return sched.OrderModel{Req: req}
		}),

		wire.OpRegister: command[candor.RegisterRequest, candor.RegisterReply](func(_ *call, req candor.RegisterRequest) sched.Command {
			return sched.Register{Req: req}
		}),
		wire.OpClaim: command[candor.ClaimRequest, candor.ClaimReply](func(c *call, req candor.ClaimRequest) sched.Command {
			return sched.Claim{Worker: c.r.PathValue("name"), Req: req}
		}),
		wire.OpHeartbeat: command[candor.HeartbeatRequest, candor.HeartbeatReply](func(c *call, req candor.HeartbeatRequest) sched.Command {
			return sched.Heartbeat{Worker: c.r.PathValue("name"), Req: req}
		}),
		wire.OpLeave: notice[candor.LeaveRequest](func(c *call, req candor.LeaveRequest) sched.Command {
			return sched.Leave{Worker: c.r.PathValue("name"), Req: req}
		}),
		wire.OpHost: command[candor.HostReport, candor.HostReply](func(_ *call, req candor.HostReport) sched.Command {
			return sched.HostSeen{Report: req}
		}),

		wire.OpBatches:    read((*call).batches),
		wire.OpBatch:      read((*call).batch),
		wire.OpBatchTasks: read((*call).batchTasks),
		wire.OpTasks:      read((*call).tasks),
		wire.OpTask:       read((*call).task),
		wire.OpAttempts:   read((*call).attempts),
		wire.OpWhy:        read((*call).why),
		wire.OpWorkers:    read((*call).workers),
		wire.OpModels:     read((*call).models),
		wire.OpStatus:     read((*call).status),
		wire.OpResolve:    read((*call).resolve),
		wire.OpEvents:     {run: (*call).events, reply: reflect.TypeFor[[]candor.Event]()},
		wire.OpLog:        {run: (*call).log},
		wire.OpOpenAPI:    {run: (*call).openapi},
		wire.OpHealth:     {run: (*call).health},
	}
}
