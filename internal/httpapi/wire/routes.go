package wire

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"candor"
)

// Op names a route, in the OpenAPI document as operationId.
type Op string

// The operations.
const (
	OpSubmit     Op = "submit"
	OpPreview    Op = "preview"
	OpBatches    Op = "batches"
	OpBatch      Op = "batch"
	OpBatchTasks Op = "batchTasks"
	OpTasks      Op = "tasks"
	OpTask       Op = "task"
	OpAttempts   Op = "attempts"
	OpLog        Op = "log"
	OpWhy        Op = "why"
	OpCancel     Op = "cancel"
	OpRetry      Op = "retry"
	OpPause      Op = "pause"
	OpResume     Op = "resume"
	OpDrain      Op = "drain"
	OpUndrain    Op = "undrain"
	OpWorkers    Op = "workers"
	OpRegister   Op = "register"
	OpClaim      Op = "claim"
	OpHeartbeat  Op = "heartbeat"
	OpLeave      Op = "leave"
	OpHost       Op = "host"
	OpModels     Op = "models"
	OpOrder      Op = "order"
	OpStatus     Op = "status"
	OpResolve    Op = "resolve"
	OpEvents     Op = "events"
	OpOpenAPI    Op = "openapi"
	OpHealth     Op = "health"
)

// RolePublic marks the routes that need no token.
const RolePublic candor.Role = "public"

// Body limits in bytes. A submission may hold two million tasks with short
// items; results carry tails and manifests; people's requests are small.
const (
	SmallBody      = 1 << 20
	ResultBody     = 64 << 20
	SubmissionBody = 256 << 20
)

// Route is one row of the table from which server, client and document are made.
type Route struct {
	Op      Op
	Method  string
	Path    string      // net/http pattern without the method
	Role    candor.Role // never empty
	Summary string
	Query   []Param
	Request reflect.Type // nil: no body
	Reply   reflect.Type // nil: an empty object
	Body    int64        // limit of the request body in bytes
	// Tolerant routes ignore unknown fields, since workers and brain may be of
	// different age. On the others a misspelt field is refused by name.
	Tolerant bool
	Waits    bool   // long poll: the answer may be held for the request's wait
	Stream   string // content type of an answer that is no JSON, or that may be a stream
}

// Param is one query parameter.
type Param struct {
	Name string
	Type string // OpenAPI type: string, integer, boolean
	Text string
}

// Pattern is the route as http.ServeMux takes it.
func (r Route) Pattern() string { return r.Method + " " + r.Path }

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// Routes is the table, in the order of the document.
func Routes() []Route {
	var all []Route
	for _, group := range [][]Route{planRoutes(), readRoutes(), changeRoutes(), workerRoutes(), serverRoutes()} {
		all = append(all, group...)
	}
	return all
}

func planRoutes() []Route {
	return []Route{
		{Op: OpSubmit, Method: http.MethodPost, Path: "/v1/batches", Role: candor.RoleOperator, Body: SubmissionBody,
			Summary: "Make a batch of a plan", Request: typeOf[candor.Submission](), Reply: typeOf[candor.SubmitReply]()},
		{Op: OpPreview, Method: http.MethodPost, Path: "/v1/preview", Role: candor.RoleViewer, Body: SubmissionBody,
			Summary: "Say who could take what of a plan; changes nothing", Request: typeOf[candor.Submission](), Reply: typeOf[candor.Preview]()},
	}
}

func readRoutes() []Route {
	get := func(op Op, path, summary string, reply reflect.Type, query ...Param) Route {
		return Route{Op: op, Method: http.MethodGet, Path: path, Role: candor.RoleViewer, Summary: summary, Reply: reply, Query: query}
	}
	log := get(OpLog, "/v1/tasks/{ref}/log", "What an attempt printed", nil, logParams()...)
	log.Stream = "text/plain"
	events := get(OpEvents, "/v1/events", "Events, oldest first; as a stream with Accept: text/event-stream", typeOf[[]candor.Event](), eventParams()...)
	events.Stream = "text/event-stream"
	return []Route{
		get(OpBatches, "/v1/batches", "Batches, newest first", typeOf[[]candor.Batch](), batchParams()...),
		get(OpBatch, "/v1/batches/{ref}", "One batch with its steps", typeOf[candor.Batch](), waitParam()),
		get(OpBatchTasks, "/v1/batches/{ref}/tasks", "The tasks of a batch", typeOf[[]candor.Task](), taskParams()...),
		get(OpTasks, "/v1/tasks", "Tasks of all batches", typeOf[[]candor.Task](), taskParams()...),
		get(OpTask, "/v1/tasks/{ref}", "One task", typeOf[candor.Task](), waitParam()),
		get(OpAttempts, "/v1/tasks/{ref}/attempts", "The ended attempts of a task, oldest first", typeOf[[]candor.Attempt]()),
		log,
		get(OpWhy, "/v1/why/{target}", "Why a task does not run, or a worker is idle", typeOf[candor.Explanation]()),
		get(OpWorkers, "/v1/workers", "The workers, by name", typeOf[[]candor.Worker]()),
		get(OpModels, "/v1/models", "The models that are wanted, loaded or could be, by name", typeOf[[]candor.ModelView]()),
		get(OpStatus, "/v1/status", "The farm at a glance", typeOf[candor.Status]()),
		get(OpResolve, "/v1/resolve/{prefix}", "What an id prefix or a worker's name names", typeOf[candor.Refs]()),
		events,
	}
}

func changeRoutes() []Route {
	change := func(op Op, summary string) Route {
		return Route{Op: op, Method: http.MethodPost, Path: "/v1/" + string(op), Role: candor.RoleOperator, Body: SmallBody,
			Summary: summary, Request: typeOf[candor.ChangeRequest](), Reply: typeOf[candor.ChangeReply]()}
	}
	return []Route{
		change(OpCancel, "End tasks and batches"),
		change(OpRetry, "Queue failed and cancelled tasks again"),
		change(OpPause, "Stop handing out: everything, a class, a batch, a worker"),
		change(OpResume, "Undo pause"),
		change(OpDrain, "Let workers finish and take nothing new"),
		change(OpUndrain, "Undo drain"),
		{Op: OpOrder, Method: http.MethodPost, Path: "/v1/orders", Role: candor.RoleOperator, Body: SmallBody,
			Summary: "Have a model loaded, unloaded or fetched", Request: typeOf[candor.OrderRequest](), Reply: typeOf[candor.OrderReply]()},
	}
}

func workerRoutes() []Route {
	post := func(op Op, path, summary string, body int64, request, reply reflect.Type) Route {
		return Route{Op: op, Method: http.MethodPost, Path: path, Role: candor.RoleWorker, Body: body, Tolerant: true,
			Summary: summary, Request: request, Reply: reply}
	}
	waits := func(r Route) Route { r.Waits = true; return r }
	return []Route{
		post(OpRegister, "/v1/workers", "Let a worker in, or in again", ResultBody, typeOf[candor.RegisterRequest](), typeOf[candor.RegisterReply]()),
		waits(post(OpClaim, "/v1/workers/{name}/claim", "Bring results, ask for work", ResultBody, typeOf[candor.ClaimRequest](), typeOf[candor.ClaimReply]())),
		waits(post(OpHeartbeat, "/v1/workers/{name}/heartbeat", "Tell what the worker does, take orders", ResultBody, typeOf[candor.HeartbeatRequest](), typeOf[candor.HeartbeatReply]())),
		post(OpLeave, "/v1/workers/{name}/leave", "A worker's last word", SmallBody, typeOf[candor.LeaveRequest](), nil),
		waits(post(OpHost, "/v1/host", "A supervisor's account of its workers' processes", SmallBody, typeOf[candor.HostReport](), typeOf[candor.HostReply]())),
	}
}

func serverRoutes() []Route {
	return []Route{
		{Op: OpOpenAPI, Method: http.MethodGet, Path: "/v1/openapi.json", Role: candor.RoleViewer, Summary: "This document", Stream: "application/json"},
		{Op: OpHealth, Method: http.MethodGet, Path: "/healthz", Role: RolePublic, Summary: "Whether the brain's loop answers and can commit"},
	}
}

// Target is the route's path with its wildcards filled in, in order. Names may
// hold anything; they are escaped.
func (r Route) Target(names ...string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(r.Path[1:], "/") {
		b.WriteByte('/')
		if strings.HasPrefix(part, "{") && len(names) > 0 {
			b.WriteString(url.PathEscape(names[0]))
			names = names[1:]
			continue
		}
		b.WriteString(part)
	}
	return b.String()
}
