package worker

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"candor"
)

func TestWeighOutputs(t *testing.T) {
	dir := t.TempDir()
	file, folder := filepath.Join(dir, "a b.txt"), filepath.Join(dir, "pages")
	if err := os.WriteFile(file, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	declared := map[string]string{"text": "a b.txt", "pages": "pages"}
	got := weigh(declared, map[string]string{"a b.txt": file, "pages": folder})
	// The digest is the first example of FIPS 180-2, appendix B.
	want := map[string]candor.Output{"text": {Size: 3, SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
