package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	progressWindow = 4 << 10 // bytes of a progress file that are looked at, from its end
	progressNote   = 200     // bytes of a note that are kept
)

// Progress is what the job says about itself.
type Progress struct {
	Done  int64  `json:"done"`
	Total int64  `json:"total"` // 0: unknown
	Note  string `json:"note,omitempty"`
}

// ReadProgress returns the last valid line of a progress file, nil when there
// is none or no file. Each line is "done total [note]", "done/total [note]" or
// "done [note]" and ends with a newline; anything else is passed over. Only the
// last 4 KiB are read, only from a regular file.
func ReadProgress(path string) (*Progress, error) {
	f, err := openQuiet(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read progress: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read progress: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read progress: %s is not a regular file", path)
	}
	from := max(0, info.Size()-progressWindow)
	b, err := io.ReadAll(io.NewSectionReader(f, from, progressWindow))
	if err != nil {
		return nil, fmt.Errorf("read progress: %w", err)
	}
	text := string(b)
	if from > 0 { // the first line is cut
		_, text, _ = strings.Cut(text, "\n")
	}
	return lastProgress(text), nil
}

func lastProgress(text string) *Progress {
	end := strings.LastIndexByte(text, '\n')
	for end >= 0 {
		begin := strings.LastIndexByte(text[:end], '\n')
		if p, ok := parseProgress(text[begin+1 : end]); ok {
			return &p
		}
		end = begin
	}
	return nil
}

func parseProgress(line string) (Progress, bool) {
	first, rest := word(line)
	done, total, slash := strings.Cut(first, "/")
	var p Progress
	var ok bool
	if p.Done, ok = count(done); !ok {
		return Progress{}, false
	}
	if slash {
		if p.Total, ok = count(total); !ok {
			return Progress{}, false
		}
	} else if second, after := word(rest); second != "" {
		if n, ok := count(second); ok {
			p.Total, rest = n, after
		}
	}
	if p.Total > 0 && p.Done > p.Total {
		return Progress{}, false
	}
	p.Note = cutText(strings.TrimSpace(plainText([]byte(rest))), progressNote)
	return p, true
}

// word splits off the first word.
func word(s string) (first, rest string) {
	s = strings.TrimLeft(s, " \t\r")
	if i := strings.IndexAny(s, " \t\r"); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// count accepts digits only: no sign, no blank, nothing that overflows.
func count(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}

func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// AppendProgress adds one line to a progress file, for `candor progress`. The
// line is one write, so that several writers do not mix.
func AppendProgress(path string, p Progress) error {
	if p.Done < 0 || p.Total < 0 || p.Total > 0 && p.Done > p.Total {
		return fmt.Errorf("append progress: %d of %d is no progress", p.Done, p.Total)
	}
	note := strings.ReplaceAll(plainText([]byte(p.Note)), "\n", " ")
	line := fmt.Sprintf("%d %d %s", p.Done, p.Total, cutText(note, progressNote))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("append progress: %w", err)
	}
	_, err = f.WriteString(strings.TrimRight(line, " ") + "\n")
	return errors.Join(err, f.Close())
}
