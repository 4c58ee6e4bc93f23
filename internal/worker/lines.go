package worker

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"candor"
	"candor/internal/record"
)

// The codes of a worker's own log lines, under record.KeyCode.
const (
	lineInitialized = "worker.initialized"
	lineStarting    = "worker.starting"
	lineSignal      = "worker.signal"
	lineCrashed     = "worker.crashed"
	lineShutdown    = "worker.shutdown"
	lineLeftover    = "worker.leftover"
	lineJoined      = "worker.joined"
	lineOrders      = "worker.orders"
	lineBrain       = "worker.brain"
	lineHeartbeat   = "worker.heartbeat"
	lineClaim       = "claim.attempt"
	lineEmpty       = "claim.empty"
	lineClaimed     = "task.claimed"
	lineEnded       = "task.ended"
	lineEnding      = "task.ending"
	lineResult      = "result.verdict"
	lineSpool       = "result.spool"
	lineDisk        = "worker.disk"
	lineModel       = "worker.model"
	linePrograms    = "worker.programs"
)

// say logs one sentence. Repeats are folded by what attrs say.
func (w *worker) say(level slog.Level, code, text string, attrs ...slog.Attr) {
	all := append([]slog.Attr{slog.String(record.KeyCode, code), slog.String(record.KeyWorker, w.o.Name)}, attrs...)
	w.o.Log.LogAttrs(context.Background(), level, text, all...)
}

// sayTask is say about one attempt.
func (w *worker) sayTask(level slog.Level, code string, a *attempt, text string, attrs ...slog.Attr) {
	all := append([]slog.Attr{
		slog.String(record.KeyTask, a.Task.String()), slog.String(record.KeyPlan, a.spec.BatchName), slog.String(record.KeyBatch, a.spec.Batch.String()),
		slog.String(record.KeyName, a.name()), slog.String(record.KeyClass, string(a.spec.Step.Class)),
		slog.Int(record.KeyAttempt, a.Attempt), slog.Int64(record.KeyLease, a.Lease),
	}, attrs...)
	w.say(level, code, text, all...)
}

// short is a task's id as sentences carry it.
func short(id candor.TaskID) string { return strings.TrimPrefix(id.String(), "t_") }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(int64(n)) + " " + many
}

// thousands writes 100001 as 100,001.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func quote(s string) string { return strconv.Quote(s) }

// initialized is a worker's first line: name, GPU, port.
func (w *worker) initialized() string {
	text := "Worker initialized: " + w.o.Name
	if g := w.o.GPU; g == nil {
		text += ", no GPU"
	} else {
		text += fmt.Sprintf(" on GPU %s (%s)", g.Index.Raw, or(g.UUID, "no UUID"))
		if g.Index.Known {
			text = fmt.Sprintf("Worker initialized: %s on GPU %d (%s)", w.o.Name, g.Index.Value, or(g.UUID, "no UUID"))
		}
	}
	if w.o.Models == nil {
		return text + ", no model server"
	}
	s := w.o.Models.Serving()
	if port := portOf(s.URL); port > 0 {
		return fmt.Sprintf("%s, %s port %d", text, s.Kind, port)
	}
	return fmt.Sprintf("%s, %s on a port of its own", text, s.Kind)
}

// emptyText is what a fruitless claim saw, with every refusal counted by the
// reason that the brain recorded when it decided.
func emptyText(r *candor.Report, preferred []candor.Class, view candor.View) string {
	if r == nil || total(r.Queued) == 0 && len(r.Refused) == 0 {
		return "Queue empty"
	}
	text := fmt.Sprintf("No suitable tasks - Queue: [%s], Preferred: %v, Model loaded: %v",
		classCounts(r.Queued), preferred, view.State == candor.WorkerHot)
	if n := total(r.Eligible); n > 0 {
		text = fmt.Sprintf("Took no task - Queue: [%s], could take: [%s], Preferred: %v",
			classCounts(r.Queued), classCounts(r.Eligible), preferred)
	}
	var refused []string
	for _, code := range slices.Sorted(maps.Keys(r.Refused)) {
		refused = append(refused, fmt.Sprintf("%s %d", code, r.Refused[code]))
	}
	if len(refused) > 0 {
		text += "; refused: " + strings.Join(refused, ", ")
	}
	for _, why := range r.Why {
		text += "; " + why.Text
	}
	return text
}

// lostTexts words the tasks that went to others while this worker waited.
func lostTexts(r *candor.Report) []string {
	if r == nil {
		return nil
	}
	var lines []string
	for _, race := range r.Lost {
		lines = append(lines, fmt.Sprintf("Lost race: %s (%s) claimed by %s, which %s",
			short(race.Task), race.Name, race.Winner, candor.SayMargin(race.Margin)))
	}
	return lines
}

func total(counts map[candor.Class]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

func classCounts(counts map[candor.Class]int) string {
	var parts []string
	for _, c := range slices.Sorted(maps.Keys(counts)) {
		if counts[c] > 0 {
			parts = append(parts, fmt.Sprintf("%s:%d", c, counts[c]))
		}
	}
	return strings.Join(parts, " ")
}
