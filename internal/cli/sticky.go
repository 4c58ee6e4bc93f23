package cli

import (
	"io"
	"os"
)

// sticky is stdout with a memory: what a table or a page could not write is not
// asked about line by line, but once, when the verb is done. After an error
// nothing more is written.
type sticky struct {
	io.Writer
	err error
}

func (s *sticky) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.Writer.Write(p)
	s.err = err
	return n, err
}

// file is the file behind a writer; ok is false if there is none.
func file(w io.Writer) (_ *os.File, ok bool) {
	if s, is := w.(*sticky); is {
		w = s.Writer
	}
	f, ok := w.(*os.File)
	return f, ok
}
