package record

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
)

// records reads the ring in dir, oldest record first, each a JSON object
// without its newline, valid until the next. Lines torn by a crash are left
// out. It may be read while its owner writes. An error ends the reading.
func records(dir string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		list, err := segments(dir)
		if err != nil {
			yield(nil, fmt.Errorf("read ring %s: %w", dir, err))
			return
		}
		for _, s := range list {
			if !readSegment(s.path, yield) {
				return
			}
		}
	}
}

func readSegment(path string, yield func([]byte, error) bool) bool {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return yield(nil, fmt.Errorf("read ring: %w", err))
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewReaderSize(f, 2*maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return true // what follows the last newline is torn, or being written
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return yield(nil, fmt.Errorf("read ring %s: %w", path, err))
		}
		if n := len(line); n > 2 && line[0] == '{' && line[n-2] == '}' && line[n-1] == '\n' {
			if !yield(line[:n-1], nil) {
				return false
			}
		}
	}
}
