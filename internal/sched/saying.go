package sched

import (
	"strings"

	"candor"
)

// saying is what workers say, those who say the same together.
type saying struct {
	texts []string
	who   map[string][]string
}

func (y *saying) add(worker, text string) {
	if y.who == nil {
		y.who = map[string][]string{}
	}
	if y.who[text] == nil {
		y.texts = append(y.texts, text)
	}
	y.who[text] = append(y.who[text], worker)
}

func (y *saying) String() string {
	parts := make([]string, len(y.texts))
	for i, text := range y.texts {
		parts[i] = strings.Join(y.who[text], ", ") + ": " + text
	}
	return strings.Join(parts, "; ")
}

// sayOrder is an order with its age, and when it is dropped.
func (s *State) sayOrder(t *task) string {
	b, o := &t.batch().rec, t.step.spec.Order
	text := string(o.Kind) + " " + o.Model + ", ordered " + candor.ShortDuration(s.now.Sub(b.CreatedAt)) + " ago"
	if !b.ExpiresAt.IsZero() {
		text += ", dropped in " + candor.ShortDuration(max(0, b.ExpiresAt.Sub(s.now)))
	}
	return text
}

// theWorker names a worker as one, where its name does not do so itself.
func theWorker(name string) string {
	if strings.HasPrefix(name, "worker") {
		return name
	}
	return "worker " + name
}
