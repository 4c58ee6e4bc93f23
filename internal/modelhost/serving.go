package modelhost

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"candor"
)

// Serving says what the server is at and what it has loaded.
func (h *Host) Serving() candor.Serving {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.o.Clock.Now()
	s := candor.Serving{
		Kind: string(h.o.Kind), URL: h.o.URL, State: h.state, For: candor.Duration(now.Sub(h.since)), Text: h.text,
		Code:    candor.ReasonCode(h.code),
		Managed: h.o.Launch != nil, Restarts: h.restarts, Slots: h.bearing.slots(), Most: h.o.Most,
	}
	if h.life != nil {
		s.URL, s.Simulated = h.life.url, h.life.identity.Simulated
	}
	if h.state == candor.ServerUp {
		s.Take = h.bearing.take()
	}
	for _, m := range h.models {
		s.Models = append(s.Models, h.served(m.Resident, now))
	}
	slices.SortFunc(s.Models, func(a, b candor.ServedModel) int { return cmp.Compare(a.Name, b.Name) })
	if w := h.work; w != nil {
		s.Work = &candor.ModelWork{Kind: w.order.Kind, Model: candor.ModelName(w.order.Model), For: candor.Duration(now.Sub(w.began))}
		if p := h.past[s.Work.Model]; p != nil && w.order.Kind == candor.OrderLoad {
			s.Work.Usual = candor.Duration(p.Load)
		}
	}
	return s
}

// openAI is where an OpenAI client finds a server: all kinds have it there.
func openAI(url string) string {
	url = strings.TrimRight(url, "/")
	if strings.HasSuffix(url, "/v1") {
		return url
	}
	return url + "/v1"
}

func (h *Host) warn(format string, args ...any) {
	h.say(slog.LevelWarn, lineModel, h.o.Name+": "+fmt.Sprintf(format, args...))
}
