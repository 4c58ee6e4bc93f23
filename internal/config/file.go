package config

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// value is one setting as some source gave it.
type value struct {
	v      any
	origin Origin
}

// fileReader turns one YAML document into values, by key.
type fileReader struct {
	path  string
	home  string
	keys  keyTable
	found map[string]value
}

func readFile(path, home string, content io.Reader) (map[string]value, error) {
	r := fileReader{path: path, home: home, keys: newKeyTable(), found: map[string]value{}}
	var doc yaml.Node
	err := yaml.NewDecoder(content).Decode(&doc)
	switch {
	case errors.Is(err, io.EOF): // an empty file sets nothing
		return r.found, nil
	case err != nil:
		return nil, r.syntax(err)
	}
	if err := r.mapping(doc.Content[0], ""); err != nil {
		return nil, err
	}
	return r.found, nil
}

// syntax puts the parser's line where editors look for it.
func (r *fileReader) syntax(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(text); m != nil {
		return invalid(fmt.Sprintf("%s:%s:1: %s", r.path, m[1], m[2]), "")
	}
	return invalid(fmt.Sprintf("%s:1:1: %s", r.path, text), "")
}

func (r *fileReader) fail(n *yaml.Node, hint, format string, args ...any) error {
	return invalid(fmt.Sprintf("%s:%d:%d: %s", r.path, n.Line, n.Column, fmt.Sprintf(format, args...)), hint)
}

func (r *fileReader) mapping(n *yaml.Node, section string) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return r.fail(n, "", "%s has settings of its own: write them indented below it", orFile(section))
	}
	seen := map[string]int{}
	var wrong faults
	for i := 0; i < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if line, twice := seen[key.Value]; twice {
			_ = wrong.add(r.fail(key, "", "key %q stands here for the second time, first in line %d", key.Value, line))
			continue
		}
		seen[key.Value] = key.Line
		if err := wrong.add(r.entry(key, val, section)); err != nil {
			return err
		}
	}
	return wrong.err()
}

func orFile(section string) string {
	if section == "" {
		return "the file"
	}
	return section
}

func (r *fileReader) entry(key, val *yaml.Node, section string) error {
	name := key.Value
	if section != "" {
		name = section + "." + key.Value
	}
	if val.Kind == yaml.AliasNode {
		val = val.Alias
	}
	if _, ok := r.keys.sections[name]; ok {
		return r.mapping(val, name)
	}
	k, ok := r.keys.byName[name]
	if !ok {
		return r.fail(key, didYouMean(key.Value, r.keys.sections[section]), "unknown key %q in %s", key.Value, orFile(section))
	}
	v, err := r.value(k, val)
	if err != nil {
		return err
	}
	r.found[name] = value{v: v, origin: Origin{Layer: LayerFile, Name: r.path, Line: key.Line, Column: key.Column}}
	return nil
}

func (r *fileReader) value(k Key, n *yaml.Node) (any, error) {
	var v any
	var err error
	switch {
	case k.Type.Kind() == reflect.Slice:
		v, err = r.sequence(k, n)
	case n.Kind != yaml.ScalarNode:
		err = r.fail(n, "", "%s is one value, not a list or a mapping", k.Name)
	default:
		if v, err = k.scalar(n.Value); err != nil {
			err = r.wrap(n, k, err)
		}
	}
	if p, ok := v.(Path); ok && err == nil {
		return r.anchor(p), nil
	}
	return v, err
}

func (r *fileReader) sequence(k Key, n *yaml.Node) (any, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, r.fail(n, "write it like [a, b]", "%s is a list", k.Name)
	}
	items := make([]string, len(n.Content))
	for i, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return nil, r.fail(item, "", "%s is a list of words", k.Name)
		}
		items[i] = item.Value
	}
	v, err := k.list(items)
	if err != nil {
		return nil, r.wrap(n, k, err)
	}
	return v, nil
}

func (r *fileReader) wrap(n *yaml.Node, k Key, err error) error {
	message, hint := split(err)
	return r.fail(n, hint, "%s: %s", k.Name, message)
}

// anchor makes a path of a file absolute.
func (r *fileReader) anchor(p Path) Path {
	s := string(p)
	switch {
	case s == "" || filepath.IsAbs(s):
		return p
	case s == "~":
		return Path(r.home)
	case strings.HasPrefix(s, "~/"):
		return Path(filepath.Join(r.home, s[2:]))
	default:
		return Path(filepath.Join(filepath.Dir(r.path), s))
	}
}

// Origin says where a value came from.
type Origin struct {
	Layer  Layer  `json:"layer"`
	Name   string `json:"name,omitempty"` // flag, variable or file
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// Layer is a kind of source.
type Layer string

// The layers, strongest first.
const (
	LayerFlag    Layer = "flag"
	LayerEnv     Layer = "env"
	LayerFile    Layer = "file"
	LayerDefault Layer = "default"
)

// String is how an origin is shown: --state, $CANDOR_STATE_DIR, file:3:1, default.
func (o Origin) String() string {
	switch o.Layer {
	case LayerFlag:
		return "--" + o.Name
	case LayerEnv:
		return "$" + o.Name
	case LayerFile:
		return o.Name + ":" + strconv.Itoa(o.Line) + ":" + strconv.Itoa(o.Column)
	default:
		return string(LayerDefault)
	}
}
