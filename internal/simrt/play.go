package simrt

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// errRunnerDead ends answers of a runner that was killed.
var errRunnerDead = errors.New("an error was encountered while running the model: unexpected EOF")

// lines writes one JSON value to a line, each sent at once.
type lines struct {
	w     io.Writer
	flush func() error
}

func newLines(w http.ResponseWriter) lines {
	w.Header().Set("Content-Type", "application/x-ndjson")
	return lines{w, http.NewResponseController(w).Flush}
}

func (l lines) write(v any) {
	_ = json.NewEncoder(l.w).Encode(v) // the end of ctx tells of a caller who left
	_ = l.flush()
}

// voice speaks an answer, line by line or whole.
type voice struct {
	w       http.ResponseWriter
	req     wireRequest
	streams bool
	began   bool // a line was written
	text    strings.Builder
}

func (v *voice) line(value any) {
	v.began = true
	newLines(v.w).write(value)
}

func (v *voice) say(now time.Time, piece string) {
	v.text.WriteString(piece)
	if v.streams {
		v.line(v.req.line(now, piece))
	}
}

// end writes the last line, or the whole answer in the form of it.
func (v *voice) end(last wireReply) {
	if v.streams {
		v.line(last)
		return
	}
	whole := v.req.line(last.CreatedAt, v.text.String())
	last.Response, last.Message = whole.Response, whole.Message
	reply(v.w, http.StatusOK, last)
}

// breakOff says why there is no more. An error that it returns is for a reply
// that has not begun. A runner's death is told inside a stream even then.
func (v *voice) breakOff(err error) error {
	if v.streams && (v.began || errors.Is(err, errRunnerDead)) {
		v.line(wireError{err.Error()})
		return nil
	}
	return err
}

// play speaks an answer at the model's pace. An error means that nothing was
// written yet.
func (s *Server) play(ctx context.Context, w http.ResponseWriter, req wireRequest, run *runner, c script, loaded time.Duration) error {
	v := &voice{w: w, req: req, streams: req.Stream == nil || *req.Stream}
	last, err := s.speak(ctx, v, run, c)
	s.abortIfDead()
	if err != nil {
		return v.breakOff(err)
	}
	if c.fault == "" {
		last.LoadDuration = int64(loaded)
		last.TotalDuration = last.LoadDuration + last.PromptEvalDuration + last.EvalDuration
		v.end(last)
	} else if !v.streams {
		reply(w, http.StatusOK, req.line(s.clk.Now(), v.text.String())) // an answer without its end
	}
	return nil
}

// speak reads the prompt and says the answer up to its end or its fault, and
// returns the last line.
func (s *Server) speak(ctx context.Context, v *voice, run *runner, c script) (wireReply, error) {
	began := s.clk.Now()
	if err := s.pace(ctx, run, c.read, run.model.PromptRate, began); err != nil {
		return wireReply{}, err
	}
	read := s.clk.Now()
	for i, piece := range c.pieces {
		if c.fault != "" && i >= c.after {
			break
		}
		if err := s.pace(ctx, run, i, run.model.Rate, read); err != nil {
			return wireReply{}, err
		}
		v.say(s.clk.Now(), piece)
	}
	if c.fault != "" {
		return wireReply{}, s.strikeAnswer(ctx, run, c.fault)
	}
	now := s.clk.Now()
	last := v.req.last(now, c.reason)
	// A nanosecond more, since a duration of 0 would be left out.
	last.PromptEvalCount, last.PromptEvalDuration = c.read, int64(read.Sub(began))+1
	last.EvalCount, last.EvalDuration = len(c.pieces), int64(now.Sub(read))+1
	return last, nil
}

// pace waits until token number n of an answer is due.
func (s *Server) pace(ctx context.Context, run *runner, n int, rate float64, began time.Time) error {
	if run.slow {
		rate /= SpillSlowdown
	}
	if rate > 0 {
		due := began.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		if wait := due.Sub(s.clk.Now()); wait > 0 {
			select {
			case <-s.clk.After(wait):
			case <-run.dead:
			case <-s.dead:
			case <-ctx.Done():
			}
		}
	}
	return s.pass(ctx, run)
}

// strikeAnswer does what was ordered in mid-answer. Nil: the stream just ends.
func (s *Server) strikeAnswer(ctx context.Context, run *runner, kind Kind) error {
	switch kind {
	case Hang:
		select {
		case <-run.dead:
			return errRunnerDead
		case <-s.dead:
			return errDead
		case <-ctx.Done():
			return ctx.Err()
		}
	case InBand:
		return errors.New("an error inside the answer was ordered")
	case RunnerDeath:
		s.KillRunner(run.model.Name)
		return errRunnerDead
	case Death:
		s.Kill()
		return errDead
	}
	return nil
}
