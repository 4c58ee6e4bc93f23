package worker

import (
	"net/url"
	"strconv"

	"candor"
	"candor/internal/modelhost"
)

// serving is what the worker's model server is at; nil: it has none.
func serving(h *modelhost.Host) *candor.Serving {
	if h == nil {
		return nil
	}
	s := h.Serving()
	return &s
}

// viewOf is a worker as the brain is told of it: a worker without a model server
// is ready, neither cold nor hot.
func viewOf(gpu *candor.GPU, s *candor.Serving) candor.View {
	v := candor.View{State: candor.WorkerReady, GPU: gpu, Serving: s}
	if s == nil {
		return v
	}
	v.State, v.Port = candor.WorkerCold, portOf(s.URL)
	var used candor.ServedModel
	for _, m := range s.Models {
		if m.Ready && (v.Model == "" || m.Token < used.Token) {
			v.State, v.Model, used = candor.WorkerHot, m.Name, m
		}
	}
	switch {
	case s.Work == nil:
	case s.Work.Kind == candor.OrderLoad:
		v.State = candor.WorkerLoading
	case s.Work.Kind == candor.OrderUnload:
		v.State = candor.WorkerUnloading
	}
	return v
}

func portOf(address string) int {
	u, err := url.Parse(address)
	if err != nil {
		return 0
	}
	port, _ := strconv.Atoi(u.Port()) // none: nothing to show
	return port
}

// news is what the brain should hear of soon; nil blocks for ever.
func (w *worker) news() <-chan struct{} {
	if w.o.Models == nil {
		return nil
	}
	return w.o.Models.Changed()
}

// catalog is what the model server could load, if the brain has not heard of it.
func (w *worker) catalog(told int64) (*candor.Catalog, int64) {
	if w.o.Models == nil {
		return nil, told
	}
	c, revision := w.o.Models.Catalog()
	if revision == told {
		return nil, told
	}
	return c, revision
}
