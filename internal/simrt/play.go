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

// play speaks an answer at the model's pace, whole or line by line. An error
// means that nothing was written yet.
func (s *Server) play(ctx context.Context, w http.ResponseWriter, req wireRequest, run *runner, c script, loaded time.Duration) error {
	began := s.clk.Now()
	if err := s.pace(ctx, run, c.read, run.model.PromptRate, began); err != nil {
		return s.ended(w, err)
	}
	var out lines
	streams := req.Stream == nil || *req.Stream
	var text strings.Builder
	reading := s.clk.Now().Sub(began)
	began = s.clk.Now()
	for i, piece := range c.pieces {
		if c.fault != "" && i >= c.after {
			break
		}
		if err := s.pace(ctx, run, i, run.model.Rate, began); err != nil {
			return s.broke(w, out, err)
		}
		text.WriteString(piece)
		if streams {
			if out.w == nil {
				out = newLines(w)
			}
			out.write(req.line(s.clk.Now(), piece))
		}
	}
	if c.fault != "" {
		if err := s.strikeAnswer(ctx, run, c.fault); err != nil {
			return s.broke(w, out, err)
		}
		if !streams {
			reply(w, http.StatusOK, req.line(s.clk.Now(), text.String()))
		}
		return nil
	}
	last := req.last(s.clk.Now(), c.reason)
	last.LoadDuration, last.PromptEvalCount, last.PromptEvalDuration = int64(loaded), c.read, int64(reading)+1
	last.EvalCount, last.EvalDuration = len(c.pieces), int64(s.clk.Now().Sub(began))+1
	last.TotalDuration = last.LoadDuration + last.PromptEvalDuration + last.EvalDuration
	if !streams {
		whole := req.line(s.clk.Now(), text.String())
		last.Response, last.Message = whole.Response, whole.Message
		reply(w, http.StatusOK, last)
		return nil
	}
	if out.w == nil {
		out = newLines(w)
	}
	out.write(last)
	return nil
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

// broke ends an answer that has begun, or says that none will.
func (s *Server) broke(w http.ResponseWriter, out lines, err error) error {
	if out.w == nil {
		return s.ended(w, err)
	}
	s.abortIfDead()
	out.write(wireError{err.Error()})
	return nil
}

// ended is why there is no answer at all. A stream has begun for the client
// even then: a runner's death is told inside it.
func (s *Server) ended(w http.ResponseWriter, err error) error {
	s.abortIfDead()
	if errors.Is(err, errRunnerDead) {
		newLines(w).write(wireError{err.Error()})
		return nil
	}
	return err
}
