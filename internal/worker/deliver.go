package worker

import (
	"fmt"
	"log/slog"

	"candor"
	"candor/internal/record"
)

// settle takes the brain's verdicts on results. Whatever they are, the brain has
// spoken: the results need not be kept.
func (w *worker) settle(results []candor.Result, reply candor.ClaimReply) {
	verdicts := map[int64]candor.ResultReply{}
	for _, v := range reply.Results {
		verdicts[v.Lease] = v
	}
	for _, r := range results {
		v, told := verdicts[r.Lease]
		if !told {
			v.Verdict = candor.ResultTaken
		}
		if v.Verdict != candor.ResultTaken {
			w.tellVerdict(r, v)
		}
		if err := w.spool.settle(r.Lease); err != nil {
			w.say(slog.LevelWarn, lineSpool, "A delivered result stays on disk and will be sent again", slog.Any(record.KeyError, err))
		}
	}
}

func (w *worker) tellVerdict(r candor.Result, v candor.ResultReply) {
	level := slog.LevelWarn
	text := fmt.Sprintf("Result of %s (%s) was not taken: %s", short(r.Task), r.Outcome, v.Verdict)
	switch v.Verdict {
	case candor.ResultRepeated:
		level, text = slog.LevelInfo, fmt.Sprintf("Result of %s (%s) had arrived before", short(r.Task), r.Outcome)
	case candor.ResultLate:
		level, text = slog.LevelInfo, fmt.Sprintf("Result of %s (%s) came late and was taken all the same", short(r.Task), r.Outcome)
	case candor.ResultFenced:
		text = fmt.Sprintf("Result of %s (%s) was refused: lease %d is over", short(r.Task), r.Outcome, r.Lease)
	case candor.ResultUnknown:
		text = fmt.Sprintf("Result of %s (%s): the brain knows no such task", short(r.Task), r.Outcome)
	}
	if v.Text != "" {
		text += ": " + v.Text
	}
	w.say(level, lineResult, text, slog.String(record.KeyTask, r.Task.String()), slog.Int64(record.KeyLease, r.Lease),
		slog.String(record.KeyState, string(v.Verdict)))
}

// refused deals with results that the brain will not read, so that one of them
// does not hold up all others for ever: several are sent one by one, a single
// one is cut down to its verdict, and what is refused even so is set aside.
func (w *worker) refused(results []candor.Result, err error) {
	if len(results) > 1 {
		w.spool.single()
		return
	}
	r := results[0]
	attrs := []slog.Attr{slog.String(record.KeyTask, r.Task.String()), slog.Int64(record.KeyLease, r.Lease), slog.Any(record.KeyError, err)}
	if r.Tail == "" && r.Manifests == nil {
		w.say(slog.LevelError, lineResult, fmt.Sprintf("The brain refuses the result of %s for good: it is set aside", short(r.Task)), attrs...)
		if err := w.spool.setAside(r.Lease); err != nil {
			w.say(slog.LevelError, lineSpool, "A refused result could not be set aside", slog.Any(record.KeyError, err))
		}
		return
	}
	w.say(slog.LevelError, lineResult, fmt.Sprintf("The brain refuses the result of %s: sending its bare outcome", short(r.Task)), attrs...)
	if r.Manifests != nil { // without its items, others cannot fan out over it
		r.Outcome = candor.AttemptPermanent
		r.Reason = candor.NewReason(candor.ReasonManifestLarge, fmt.Sprintf("the brain refused its manifests: %v", err))
	}
	r.Tail, r.Manifests = "", nil
	if err := w.spool.put(r); err != nil {
		w.say(slog.LevelError, lineSpool, "A result is not on disk", slog.Any(record.KeyError, err))
	}
}
