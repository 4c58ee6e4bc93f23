package worker

import "candor"

// load counts attempts by what bounds them: commands without a model share the
// worker's slots, llm attempts what its model server bears, and orders about
// models go one at a time, beside both.
type load struct{ commands, llm, orders int }

func (l load) sum() int { return l.commands + l.llm + l.orders }

func (l *load) add(class candor.Class) {
	switch class {
	case candor.ClassLLM:
		l.llm++
	case candor.ClassResource:
		l.orders++
	default:
		l.commands++
	}
}

// room is how many more attempts the worker could begin now.
func (w *worker) room() int {
	most := load{commands: w.o.Slots}
	if w.o.Models == nil { // whatever its classes say, all of it shares the slots
		return most.commands - w.board.load().sum()
	}
	most.llm, most.orders = w.o.Models.Serving().Take, 1
	now := w.board.load()
	return max(0, most.commands-now.commands) + max(0, most.llm-now.llm) + max(0, most.orders-now.orders)
}
