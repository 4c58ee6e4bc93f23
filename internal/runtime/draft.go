package runtime

import (
	"bytes"
	"time"
)

// repeatEvery is how many pieces of an answer pass between two looks for a
// text that repeats itself: a look reads some kilobytes.
const repeatEvery = 32

// Draft is an answer while it is being written. Adapters feed it; it counts,
// tells, and guards against a text without end.
type Draft struct {
	// Answer holds what is known so far, without its text and thinking.
	Answer Answer

	began          time.Time
	last           time.Time // the last piece
	flight         *Flight
	tell           func(Chunk)
	text, thinking bytes.Buffer
}

// NewDraft begins the answer to r. tell may be nil.
func NewDraft(r Request, flight *Flight, began time.Time, tell func(Chunk)) *Draft {
	return &Draft{Answer: Answer{Model: r.Model, Seed: r.Sampling.Seed}, began: began, flight: flight, tell: tell}
}

// Piece adds what came at now; empty pieces are none.
func (d *Draft) Piece(now time.Time, c Chunk) error {
	if c == (Chunk{}) {
		return nil
	}
	d.flight.Token(now)
	d.last = now
	if d.Answer.Tokens == 0 {
		d.Answer.Times.FirstToken = now.Sub(d.began)
	}
	d.Answer.Tokens++
	d.text.WriteString(c.Text)
	d.thinking.WriteString(c.Thinking)
	if d.tell != nil {
		d.tell(c)
	}
	if d.Answer.Tokens%repeatEvery == 0 {
		return d.repeats()
	}
	return nil
}

// repeats looks at the end of what was said last, thoughts before the text.
func (d *Draft) repeats() error {
	said := d.text.Bytes()
	if len(said) == 0 {
		said = d.thinking.Bytes()
	}
	end := said[max(0, len(said)-RepeatWindow):]
	return NoRepeat(d.Answer.Model, string(end), d.Answer.Tokens)
}

// Finish notes that the model ended its answer at now, perhaps without a word.
func (d *Draft) Finish(now time.Time) {
	d.flight.Token(now)
	if d.Answer.Times.FirstToken == 0 {
		d.Answer.Times.FirstToken = now.Sub(d.began)
	}
}

// Writing is the time from the first piece to the last: what a server that
// measures nothing itself took to generate.
func (d *Draft) Writing() time.Duration {
	if d.last.IsZero() {
		return 0
	}
	return d.last.Sub(d.began) - d.Answer.Times.FirstToken
}

// CutOff says why the stream ended without the end of the answer.
func (d *Draft) CutOff() error { return CutOff(d.Answer.Model, d.text.String(), d.Answer.Tokens) }

// Whole is the answer with all that was said until now.
func (d *Draft) Whole() Answer {
	a := d.Answer
	a.Text, a.Thinking = d.text.String(), d.thinking.String()
	return a
}
