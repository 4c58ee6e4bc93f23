package rows

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

func TestPick(t *testing.T) {
	const doc = `{"a":{"b":[10,{"c":"text","d.e":1}],"":2},"title":null,"n":12345678901234567890,"t":true}`
	for _, c := range []struct{ path, want, wrong string }{
		{path: "", want: doc},
		{path: "a.b.0", want: "10"},
		{path: "a.b.1.c", want: `"text"`},
		{path: "n", want: "12345678901234567890"},
		{path: "title", want: "null"},
		{path: "titel", wrong: `item has no "titel": "title" is meant?`},
		{path: "zzzzzz", wrong: `item has no "zzzzzz": it has a, n, t, title`},
		{path: "a.b.2", wrong: `item.a.b is a list of 2, counted from 0, and has no "2"`},
		{path: "a.b.-1", wrong: "is a list of 2"},
		{path: "a.b.x", wrong: "is a list of 2"},
		{path: "a.b.1.c.d", wrong: `item.a.b.1.c is a text and has no "d"`},
		{path: "t.x", wrong: "item.t is a truth value"},
		{path: "title.x", wrong: "item.title is null"},
		{path: "n.x", wrong: "item.n is a number"},
	} {
		got, err := pick(json.RawMessage(doc), "item", c.path)
		switch {
		case c.wrong == "" && (err != nil || string(got) != c.want):
			t.Errorf("%s: %s, %v", c.path, got, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%s: %v", c.path, err)
		}
	}
	if _, err := pick(nil, "item", "a"); err == nil || err.Error() != `item is nothing and has no "a"` {
		t.Errorf("no item: %v", err)
	}
	if _, err := pick(json.RawMessage(`{}`), "item", "a"); err == nil || !strings.HasSuffix(err.Error(), "it is empty") {
		t.Errorf("an empty item: %v", err)
	}
	many := `{"k1":1,"k2":1,"k3":1,"k4":1,"k5":1,"k6":1,"k7":1,"k8":1,"k9":1}`
	if _, err := pick(json.RawMessage(many), "item", "other"); err == nil || !strings.HasSuffix(err.Error(), "k8 and 1 more") {
		t.Errorf("many keys: %v", err)
	}
}

func TestTextOf(t *testing.T) {
	for doc, want := range map[string]string{
		`"a \u00e4 \"b\" <&>\n"`: "a ä \"b\" <&>\n",
		" 1.50 ":                 "1.50",
		`{ "a" : [ 1 , "<" ] }`:  `{"a":[1,"<"]}`,
		"null":                   "null",
	} {
		if got, err := textOf(json.RawMessage(doc), "item"); err != nil || got != want {
			t.Errorf("%s: %q, %v", doc, got, err)
		}
	}
}

// What is picked is the very value that a full decoding finds at the path.
func FuzzPick(f *testing.F) {
	f.Add(`{"a":{"b":[1,{"c":"x"}]}}`, "a.b.1.c")
	f.Add(`[[[]]]`, "0.0.0")
	f.Add(`{"":{"":1}}`, ".")
	f.Add(`{"a":1,"a":2}`, "a")
	f.Add(`"text"`, "0")
	f.Add(`{"a"`, "a")
	f.Fuzz(func(t *testing.T, doc, path string) {
		got, err := pick(json.RawMessage(doc), "item", path)
		var whole any
		if json.Unmarshal([]byte(doc), &whole) != nil || err != nil {
			return
		}
		want := whole
		if path != "" {
			for key := range strings.SplitSeq(path, ".") {
				switch v := want.(type) {
				case map[string]any:
					next, there := v[key]
					if !there {
						t.Fatalf("%s has no %s: %s", doc, path, got)
					}
					want = next
				case []any:
					i, err := strconv.Atoi(key)
					if err != nil || strconv.Itoa(i) != key {
						t.Fatalf("%s: %s has %q as a position", doc, path, key)
					}
					want = v[i]
				default:
					t.Fatalf("%s: %s leads through %T", doc, path, v)
				}
			}
		}
		a, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(got, &value); err != nil {
			t.Fatalf("%s at %s: %s: %v", doc, path, got, err)
		}
		if b, _ := json.Marshal(value); string(a) != string(b) {
			t.Errorf("%s at %s: %s, want %s", doc, path, b, a)
		}
		if _, err := textOf(got, path); err != nil {
			t.Errorf("%s at %s: %v", doc, path, err)
		}
	})
}
