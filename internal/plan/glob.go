package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"candor"

	"github.com/bmatcuk/doublestar/v4"
)

// globbed is what a pattern found.
type globbed struct {
	items []json.RawMessage
	count int
	left  []string // what matched but is no file, in words
	err   error
	hint  string
}

// pattern is a glob with its variables filled in, made absolute. A path stands
// for itself: a * in the name of a folder is a star. A string is a pattern.
func (c *compiler) pattern(g text) (string, bool) {
	written, ok := c.expand(g.node, c.vars, func(v value) string {
		if v.Type == InputPath {
			return literally(v.text)
		}
		return v.text
	})
	if !ok {
		return "", false
	}
	if !doublestar.ValidatePattern(written) {
		c.wrong(g.node, `* ? [a-z] {a,b} and **; a \ before them makes them ordinary characters`, "%q is not a glob pattern", clip(written))
		return "", false
	}
	if !path.IsAbs(written) && !filepath.IsAbs(filepath.FromSlash(written)) {
		written = literally(c.dirs.plan) + "/" + written
	}
	return path.Clean(written), true
}

// literally writes a path so that a pattern finds that very path.
func literally(p string) string {
	var b strings.Builder
	for _, r := range []byte(filepath.ToSlash(p)) {
		if strings.IndexByte(`*?[]{}\`, r) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(r)
	}
	return b.String()
}

var errEnough = errors.New("enough")

// glob finds the files that an absolute pattern matches, sorted by their bytes.
// As in a shell, wildcards do not match names that begin with a dot, and ** does
// not follow links to folders.
func glob(pattern string) globbed {
	base, rest, wild := split(pattern)
	if !wild {
		return single(base)
	}
	if info, err := os.Stat(base); err != nil || !info.IsDir() {
		return missing(base, err)
	}
	var found globbed
	var paths []string
	err := doublestar.GlobWalk(os.DirFS(base), rest, func(name string, d fs.DirEntry) error {
		full := filepath.Join(base, filepath.FromSlash(name))
		if !utf8.ValidString(full) {
			return fmt.Errorf("the name of a file is not UTF-8: %+q", full)
		}
		if what := notAFile(full, d); what != "" {
			found.left = append(found.left, fmt.Sprintf("%q is %s", full, what))
			return nil
		}
		paths = append(paths, full)
		if len(paths) > candor.MaxItems {
			return errEnough
		}
		return nil
	}, doublestar.WithFailOnIOErrors(), doublestar.WithFilesOnly(), doublestar.WithNoFollow(), doublestar.WithNoHidden())
	found.count = len(paths)
	switch {
	case errors.Is(err, errEnough):
		return found
	case err != nil:
		return unreadableFolder(base, err)
	}
	slices.Sort(paths)
	for _, p := range slices.Compact(paths) {
		found.items = append(found.items, quoted(p))
	}
	return found
}

// split cuts a pattern before the first folder with a wildcard. The library's own
// split leaves the backslash before a backslash, so that no folder with one in
// its name could be found.
func split(pattern string) (base, rest string, wild bool) {
	slash := 0
	for i := 0; i < len(pattern) && !wild; i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '/':
			slash = i
		case '*', '?', '[', '{':
			wild = true
		}
	}
	if !wild {
		return filepath.FromSlash(unescaped(pattern)), "", false
	}
	base = unescaped(pattern[:slash])
	if base == "" || strings.HasSuffix(base, ":") {
		base += "/"
	}
	return filepath.FromSlash(base), pattern[slash+1:], true
}

func unescaped(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}

func missing(base string, err error) globbed {
	switch {
	case err == nil:
		return globbed{err: fmt.Errorf("%q is not a folder", base)}
	case errors.Is(err, fs.ErrNotExist):
		hint := "a relative path starts at the plan's folder"
		if strings.Contains(filepath.ToSlash(base), "/~") {
			hint = "~ is not expanded: write the path in full"
		}
		return globbed{err: fmt.Errorf("there is no folder %q", base), hint: hint}
	default:
		return globbed{err: fmt.Errorf("folder %q: %w", base, err)}
	}
}

// single is the answer to a pattern without wildcards: one file, or an error.
func single(full string) globbed {
	info, err := os.Stat(full)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return globbed{err: err}
	case err != nil:
		return globbed{err: fmt.Errorf("there is no file %q", full), hint: "a relative path starts at the plan's folder"}
	case info.IsDir():
		return globbed{err: fmt.Errorf("%q is a folder", full), hint: "add /* for the files in it, /**/* for those in folders below as well"}
	}
	return globbed{items: []json.RawMessage{quoted(full)}, count: 1}
}

// unreadableFolder is about a folder that could not be searched: to leave it out
// in silence would be to say that it holds nothing.
func unreadableFolder(base string, err error) globbed {
	pathErr, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return globbed{err: err, hint: "rename it, or narrow the pattern"}
	}
	full := filepath.Join(base, filepath.FromSlash(pathErr.Path))
	if filepath.IsAbs(pathErr.Path) {
		full = pathErr.Path
	}
	if !utf8.ValidString(full) {
		return globbed{err: fmt.Errorf("the name of a folder is not UTF-8: %+q", full), hint: "rename it, or narrow the pattern"}
	}
	return globbed{err: fmt.Errorf("%q cannot be searched: %w", full, pathErr.Err), hint: "narrow the pattern, or mend the folder"}
}

// notAFile says what a match is, if a task could not read it.
func notAFile(full string, d fs.DirEntry) string {
	mode := d.Type()
	if mode&fs.ModeSymlink != 0 {
		info, err := os.Stat(full)
		if err != nil {
			return "a link to nothing"
		}
		if info.IsDir() {
			return "a link to a folder"
		}
		mode = info.Mode().Type()
	}
	if mode.IsRegular() {
		return ""
	}
	return "not a regular file"
}
