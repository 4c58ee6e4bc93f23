package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"candor"
)

// maxManifest bounds a manifest's file: MaxItems items of a few hundred bytes.
const maxManifest = 256 << 20

// readManifests reads the lists from which other steps fan out. found maps
// declared paths to files.
func readManifests(outputs map[string]string, found map[string]string, wanted []candor.Manifest) (map[string][]json.RawMessage, *candor.Reason) {
	if len(wanted) == 0 {
		return nil, nil
	}
	lists := map[string][]json.RawMessage{}
	for _, m := range wanted {
		file := found[outputs[m.Output]]
		list, reason := readManifest(file, outputs[m.Output], m.Path)
		if reason != nil {
			return nil, reason.With("output", m.Output).With("path", m.Path)
		}
		lists[m.Key()] = list
	}
	return lists, nil
}

func readManifest(file, name, path string) ([]json.RawMessage, *candor.Reason) {
	bad := func(format string, args ...any) ([]json.RawMessage, *candor.Reason) {
		return nil, candor.NewReason(candor.ReasonManifestBad, "manifest "+name+": "+fmt.Sprintf(format, args...))
	}
	if file == "" {
		return bad("is none of the step's outputs")
	}
	doc, err := readBounded(file)
	if err != nil {
		return bad("%v", err)
	}
	if where := syntax(doc); where != "" {
		return bad("%s", where)
	}
	doc, at, err := descend(doc, path)
	if err != nil {
		return bad("%v", err)
	}
	var list []json.RawMessage
	if kindOf(doc) != "a list" || json.Unmarshal(doc, &list) != nil {
		return bad("%s: %s, not a list", at, found(doc))
	}
	if len(list) > candor.MaxItems {
		return nil, candor.NewReason(candor.ReasonManifestLarge, fmt.Sprintf("manifest %s: %s: %s items, at most %s",
			name, at, thousands(int64(len(list))), thousands(candor.MaxItems))).With("items", len(list))
	}
	for i, item := range list {
		var b bytes.Buffer
		if err := errors.Join(json.Compact(&b, item), candor.ValidRow(b.Bytes())); err != nil {
			return bad("%s: item %d: %v", at, i, err)
		}
		list[i] = b.Bytes()
	}
	return list, nil
}

func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("is a folder, not a JSON file")
	}
	b, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err == nil && len(b) > maxManifest {
		return nil, fmt.Errorf("is larger than %s", candor.Bytes(maxManifest))
	}
	return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), err
}

// syntax says where a document stops being JSON, "" if it is.
func syntax(doc []byte) string {
	if len(bytes.TrimSpace(doc)) == 0 {
		return "is empty, not JSON"
	}
	var any json.RawMessage
	err := json.Unmarshal(doc, &any)
	if err == nil {
		return ""
	}
	bad, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return "broken JSON: " + err.Error()
	}
	// Offset counts the bytes read, the offending one included.
	before := doc[:max(0, min(int(bad.Offset), len(doc))-1)]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("broken JSON at %d:%d: %v", line, column, bad)
}

// descend follows a dotted path into objects, and says how far it came.
func descend(doc json.RawMessage, path string) (json.RawMessage, string, error) {
	if path == "" {
		return doc, "the document", nil
	}
	walked := ""
	for _, key := range strings.Split(path, ".") {
		var object map[string]json.RawMessage
		if kindOf(doc) != "an object" || json.Unmarshal(doc, &object) != nil {
			return nil, "", fmt.Errorf("path %s: %s is %s, not an object", path, or(walked, "the document"), found(doc))
		}
		next, there := object[key]
		if !there {
			return nil, "", fmt.Errorf("path %s: no key %s in %s", path, quote(key), or(walked, "the document"))
		}
		doc = next
		walked = strings.TrimPrefix(walked+"."+key, ".")
	}
	return doc, "path " + path, nil
}

func kindOf(v json.RawMessage) string {
	switch v = bytes.TrimSpace(v); {
	case len(v) == 0:
		return "nothing"
	case v[0] == '[':
		return "a list"
	case v[0] == '{':
		return "an object"
	case v[0] == '"':
		return "a text"
	case v[0] == 't' || v[0] == 'f':
		return "a truth value"
	case v[0] == 'n':
		return "null"
	}
	return "a number"
}

// found is what stands somewhere, for people: a number (7).
func found(v json.RawMessage) string {
	const shown = 40
	v = bytes.TrimSpace(v)
	kind := kindOf(v)
	if kind == "a list" || kind == "an object" || kind == "null" {
		return kind
	}
	text := strings.ToValidUTF8(string(v[:min(len(v), shown)]), "")
	if len(v) > shown {
		text += "…"
	}
	return fmt.Sprintf("%s (%s)", kind, text)
}
