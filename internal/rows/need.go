package rows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"

	"candor"
)

// maxDocument bounds a file out of which a value is picked, in bytes.
const maxDocument = 64 << 20

// errAbsent says that an output can never be read as it is asked for; any other
// error of reading is the disk's.
var errAbsent = errors.New("")

// absent makes an error that errors.Is errAbsent.
func absent(format string, args ...any) error {
	return &absence{fmt.Sprintf(format, args...)}
}

type absence struct{ text string }

func (a *absence) Error() string        { return a.text }
func (a *absence) Is(target error) bool { return target == errAbsent }

// needs are the texts of all parts that are outputs of needed steps: the same
// for each row, so that each is read once.
type needs map[candor.Part]string

func readNeeds(l *candor.LLM, where func(step, output string) (string, error)) (needs, error) {
	found := needs{}
	for p := range parts(l) {
		if _, read := found[p]; read || p.Need == "" {
			continue
		}
		file, err := where(p.Need, p.Output)
		if err != nil {
			return nil, absent("the prompt's %s: %v", nameOf(p), err)
		}
		if found[p], err = readNeed(file, p); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func nameOf(p candor.Part) string { return p.Need + "." + p.Output }

func readNeed(file string, p candor.Part) (string, error) {
	name, most := nameOf(p), maxValue
	if p.Path != "" {
		most = maxDocument
	}
	content, err := readFile(file, name, most)
	if err != nil {
		return "", err
	}
	if p.Path == "" {
		return string(content), nil
	}
	if err := json.Unmarshal(content, new(json.RawMessage)); err != nil {
		return "", absent("output %s is to have %s in it, but is no JSON: %v", name, p.Path, err)
	}
	value, err := pick(content, name, p.Path)
	if err != nil {
		return "", absent("%v", err)
	}
	text, err := textOf(value, dotted(name, p.Path))
	if err != nil {
		return "", absent("%v", err)
	}
	return text, nil
}

func readFile(file, name string, most int) ([]byte, error) {
	f, err := os.Open(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, absent("output %s is not there any more: %s", name, file)
	case err != nil:
		return nil, fmt.Errorf("read output %s: %w", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read output %s: %w", name, err)
	case info.IsDir():
		return nil, absent("output %s is a folder: a prompt takes a file", name)
	}
	content, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read output %s: %w", name, err)
	case len(content) > most:
		return nil, absent("output %v", tooLarge(name, int(info.Size()), most))
	case !utf8.Valid(content):
		return nil, absent("output %s is no UTF-8 text", name)
	}
	return content, nil
}
