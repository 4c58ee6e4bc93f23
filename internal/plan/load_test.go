package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func plans(t *testing.T, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(pattern)
	if err != nil || len(all) == 0 {
		t.Fatalf("%s: no plans, %v", pattern, err)
	}
	return all
}

// portable puts a word in the place of the folder the tests run in.
func portable(t *testing.T, text []byte) []byte {
	t.Helper()
	here, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(text, []byte(here), []byte("TESTDATA"))
}

func TestWrongPlans(t *testing.T) {
	for _, path := range plans(t, "testdata/wrong/*.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			sub, err := Load(path, nil, Options{})
			if err == nil {
				t.Fatalf("accepted: %+v", sub)
			}
			if sub != nil || candor.CodeOf(err) != candor.CodeInvalid {
				t.Errorf("submission %v, code %s", sub, candor.CodeOf(err))
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".err", portable(t, []byte(err.Error()+"\n")))
		})
	}
}

func TestRightPlans(t *testing.T) {
	for _, path := range plans(t, "testdata/right/*.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var out bytes.Buffer
			sub, err := Load(path, nil, Options{Warn: func(e *Error) { e.Render(&out) }})
			if err != nil {
				t.Fatal(err)
			}
			if err := sub.Validate(); err != nil {
				t.Errorf("the brain would refuse it: %v", err)
			}
			e := json.NewEncoder(&out)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			if err := e.Encode(sub); err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".json", portable(t, out.Bytes()))
		})
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFilesThatAreNoPlans(t *testing.T) {
	huge := filepath.Join(t.TempDir(), "huge.yaml")
	f, err := os.Create(huge)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(maxFile+1), f.Close()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		huge:                                    "is larger than the 16 MiB",
		t.TempDir():                             "is a folder",
		filepath.Join(t.TempDir(), "none.yaml"): "no such file",
	} {
		_, err := Load(path, nil, Options{})
		if err == nil || !strings.Contains(err.Error(), path+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if _, err := Inputs(path); err == nil || candor.CodeOf(err) != candor.CodeInvalid {
			t.Errorf("inputs of %s: %v", want, err)
		}
	}
}

func TestTooManyItems(t *testing.T) {
	path := write(t, "tasks:\n  a: {run: \"true\", foreach: {items: ["+strings.Repeat("1,", candor.MaxItems)+"1]}}\n")
	_, err := Load(path, nil, Options{})
	if err == nil || !strings.Contains(err.Error(), "100001 items are more than the 100000") {
		t.Fatal(err)
	}
}

func TestAPlanThatIsWrongAllOver(t *testing.T) {
	for name, text := range map[string]string{
		"keys":  "tasks: {a: {run: \"true\", " + many(5000, "k%d: x") + "}}\n",
		"needs": "tasks: {a: {run: \"true\", needs: [" + strings.Repeat("x, ", 200_000) + "]}}\n",
		"items": "tasks: {a: {run: \"true\", foreach: {items: [" + strings.Repeat(".nan, ", 90_000) + "]}}}\n",
		"merge": "tasks:\n  a: &a {run: \"true\", " + many(5000, "k%d: x") + "}\n" + "  b: {<<: [" + strings.Repeat("*a, ", 300) + "]}\n",
	} {
		_, err := Load(write(t, text), nil, Options{})
		if all, ok := errors.AsType[Errors](err); !ok || len(all) > maxProblems+1 {
			t.Errorf("%s: %d problems", name, len(all))
		}
	}
}

func many(n int, format string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return strings.Join(all, ", ")
}

func TestErrorsAreFoundByCode(t *testing.T) {
	_, err := Load("testdata/wrong/unknown-keys.yaml", nil, Options{})
	var all Errors
	if !errors.As(err, &all) || len(all) < 5 {
		t.Fatalf("not all problems: %v", err)
	}
	first := all[0]
	if first.Line != 2 || first.Column != 1 || first.Hint != `did you mean "tasks"?` || first.Source != "taks: {}" {
		t.Errorf("%+v", first)
	}
	if candor.CodeOf(first) != candor.CodeInvalid {
		t.Errorf("code %s", candor.CodeOf(first))
	}
}
