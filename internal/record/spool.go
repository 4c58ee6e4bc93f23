package record

import "io"

// spool gathers whole lines and hands them to w in few, large writes. It never
// holds a caller up for want of space: when w fails, the lines are dropped and
// counted, and the count is written once w works again.
type spool struct {
	name string // for people: "log file /var/log/candor/brain.log"
	w    io.WriteCloser
	max  int // bytes gathered at most

	buf     []byte
	records int64 // lines in buf
	lost    int64 // lines dropped since the last good write
	lostAll int64 // lines dropped ever
	err     error // why; nil while all is well
	torn    bool  // the last write ended in the middle of a line
}

// full reports whether line has to wait for a flush.
func (s *spool) full(line []byte) bool { return len(s.buf)+len(line) > s.max }

// add takes one line with its newline.
func (s *spool) add(line []byte) {
	s.buf = append(s.buf, line...)
	s.records++
}

// flush writes what was gathered. confess makes the line that tells of earlier
// losses, and goes first.
func (s *spool) flush(confess func(s *spool) []byte) error {
	if len(s.buf) == 0 {
		return nil
	}
	out := s.buf
	if s.lost > 0 {
		out = append(confess(s), out...)
	}
	if s.torn {
		out = append([]byte{'\n'}, out...)
	}
	n, err := s.w.Write(out)
	if err == nil {
		s.lost, s.err, s.torn = 0, nil, false
	} else {
		s.torn = n > 0 && out[n-1] != '\n' || n <= 0 && s.torn
		s.lost += s.records
		s.lostAll += s.records
		s.err = err
	}
	s.buf, s.records = s.buf[:0], 0
	return err
}
