package simrt

import "net/http"

// The control of faults over HTTP, for servers in processes of their own.

func (s *Server) listFaults(w http.ResponseWriter, _ *http.Request) {
	faults := s.Faults()
	if faults == nil {
		faults = []Fault{}
	}
	reply(w, http.StatusOK, map[string]any{"faults": faults, "kinds": Kinds()})
}

func (s *Server) injectFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	if err := body(r, &f); err != nil {
		s.fail(w, err)
		return
	}
	if err := s.Inject(f); err != nil {
		s.fail(w, refuse(http.StatusBadRequest, "%v", err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) clearFaults(w http.ResponseWriter, _ *http.Request) {
	s.Clear()
	w.WriteHeader(http.StatusNoContent)
}
