package modelhost

import (
	"context"

	"candor"
)

// Host keeps one model server. All methods may be called from any goroutine.
type Host struct {
	o       Options // immutable
	changed chan struct{}
}

// New makes a host. Nothing is started before Run.
func New(o Options) (*Host, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Host{o: o, changed: make(chan struct{}, 1)}, nil
}

// Run keeps the server until ctx ends; a managed one has ended when it returns.
func (h *Host) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Serving says what the server is at and what it has loaded.
func (h *Host) Serving() candor.Serving { return candor.Serving{Kind: string(h.o.Kind)} }

// Catalog is what could be loaded, and a number that rises when it changes;
// nil and 0 before the server was first asked.
func (h *Host) Catalog() (*candor.Catalog, int64) { return nil, 0 }

// Changed has a value after Serving or Catalog changed in a way that the brain
// should hear of soon. It is for one reader.
func (h *Host) Changed() <-chan struct{} { return h.changed }

// Reset lets a server that is out of service be started again.
func (h *Host) Reset() {}
