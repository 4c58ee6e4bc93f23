package cli

import (
	"context"

	"github.com/spf13/cobra"

	"candor"
	"candor/client"
)

func (a *app) modelLoadVerb() *cobra.Command {
	var context int
	cmd := a.ordering(candor.OrderLoad, &cobra.Command{
		Use:   "load MODEL",
		Short: "Have a model loaded",
		Long: `Orders MODEL to be loaded, and returns when it has answered with a token, or failed.
Without --worker whoever can takes the order; with several, each of them loads it.
On a worker that is named, what is in the way goes first.`,
		Example: lines("candor model load qwen2.5:7b", "candor model load qwen2.5:7b --worker gpu-0 --worker gpu-1 --context 8192",
			"candor model load qwen2.5:7b --no-wait --json | jq -r '.orders[].task_id'"),
	}, &context)
	cmd.Flags().IntVar(&context, "context", 0, "`tokens` that one conversation has room for at least; 0 as the worker is set")
	return cmd
}

func (a *app) modelUnloadVerb() *cobra.Command {
	return a.ordering(candor.OrderUnload, &cobra.Command{
		Use:     "unload MODEL",
		Short:   "Have a model leave memory",
		Long:    `Orders MODEL to be unloaded where it is loaded, or at each --worker, and returns when it is gone.`,
		Example: lines("candor model unload qwen2.5:7b", "candor model unload qwen2.5:7b --worker gpu-0"),
	}, nil)
}

func (a *app) modelPullVerb() *cobra.Command {
	return a.ordering(candor.OrderPull, &cobra.Command{
		Use:   "pull MODEL",
		Short: "Have a model fetched from where its server gets models",
		Long: `Orders MODEL to be fetched onto a worker's disk, and returns when it is there. Workers
with a disk of their own need it each: name them by --worker. A server that cannot
fetch (llama-server, OpenAI's API) says so.`,
		Example: lines("candor model pull qwen2.5:7b --worker gpu-0", "candor model pull qwen2.5:7b --worker gpu-0 --worker gpu-1 --expires 1h"),
	}, nil)
}

// ordering makes a verb that gives orders of a kind; context may be nil.
func (a *app) ordering(kind candor.OrderKind, cmd *cobra.Command, context *int) *cobra.Command {
	req := candor.OrderRequest{Kind: kind}
	var expires string
	cmd.Args = exactly("MODEL")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		req.Model = args[0]
		if context != nil {
			req.Context = *context
		}
		if expires != "" {
			if err := req.Expires.UnmarshalText([]byte(expires)); err != nil {
				return err
			}
		}
		if req.By == "" {
			req.By = a.by()
		}
		return a.order(cmd, req)
	}
	cmd.ValidArgsFunction = a.completeNames(nameModels)
	addOutput(cmd)
	addTimeout(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&req.Workers, "worker", nil, "`worker` that does it, again for each")
	f.StringVar(&expires, "expires", "", "give up if nobody has taken it after this `time`, like 10m; default placement.expiry")
	f.StringVar(&req.By, "by", "", "`who` asks, for those who look; default you, as user@host")
	f.BoolVar(&req.DryRun, "dry-run", false, "say what would be ordered, and order nothing")
	f.Bool("no-wait", false, "return when it was ordered, not when it has happened")
	_ = cmd.RegisterFlagCompletionFunc("worker", a.completeNames(nameWorkers))
	return cmd
}

// order gives orders, waits until each has ended, and says what was before and after.
func (a *app) order(cmd *cobra.Command, req candor.OrderRequest) error {
	ctx, cancel := withTimeout(cmd)
	defer cancel()
	c, err := a.client(cmd)
	if err != nil {
		return err
	}
	reply, err := c.OrderModel(ctx, req)
	if err != nil {
		return err
	}
	reports := make([]orderReport, len(reply.Orders))
	noWait, _ := cmd.Flags().GetBool("no-wait")
	for i, o := range reply.Orders {
		reports[i].Ordered = o
		if noWait || req.DryRun || o.Task == 0 {
			continue
		}
		if err := a.awaitOrder(ctx, c, &reports[i]); err != nil {
			a.ordersGoOn(reply.Orders[i:])
			return err
		}
	}
	if req.DryRun {
		a.talk("dry run: nothing was ordered")
	}
	if err := a.showOrders(cmd, req.Kind, reports); err != nil {
		return err
	}
	return endedOrders(reports)
}

// awaitOrder waits until an order has ended, tells how far it is, and notes what
// it did.
func (a *app) awaitOrder(ctx context.Context, c *client.Client, r *orderReport) error {
	shown := &slowLines{a: a}
	t, err := a.awaitTask(ctx, c, r.Task, func(t candor.Task) { shown.say(orderLine(t)) })
	if err != nil {
		return err
	}
	r.State, r.RanOn, r.Reason = t.State, t.Worker, t.Reason
	if t.State == candor.TaskComplete {
		r.Reason = nil
	}
	attempts, err := c.Attempts(ctx, r.Task.String())
	if n := len(attempts); n > 0 {
		r.Result = attempts[n-1].Order
	}
	return err
}

// orderLine is how far an order is; empty once it has ended.
func orderLine(t candor.Task) string {
	switch {
	case t.State == candor.TaskProcessing && t.Progress != nil && t.Progress.Note != "":
		return t.Worker + ": " + progressText(*t.Progress)
	case t.State == candor.TaskQueued && t.Reason != nil:
		return t.ID.String() + " waits: " + t.Reason.Text
	default:
		return ""
	}
}

// ordersGoOn says that whoever stops waiting has not stopped the orders.
func (a *app) ordersGoOn(orders []candor.Ordered) {
	for _, o := range orders {
		if o.Task != 0 {
			a.talk("the order goes on: candor show %s looks at it, candor cancel %s ends it", o.Task, o.Task)
		}
	}
}
