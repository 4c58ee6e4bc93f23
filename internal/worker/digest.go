package worker

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"candor"
)

// largestDigest bounds which files are read once more for their digest: beyond
// it the reading takes seconds, and likeness of such files is no sign of stumps.
const largestDigest = 256 << 20

// weigh tells what the declared outputs are, by name: size and digest of
// files. Folders have neither. What cannot be read is left to publish to say.
func weigh(declared, found map[string]string) map[string]candor.Output {
	out := map[string]candor.Output{}
	for name, path := range declared {
		info, err := os.Stat(found[path])
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		o := candor.Output{Size: candor.Bytes(info.Size())}
		if info.Size() <= largestDigest {
			if sum, err := digest(found[path]); err == nil {
				o.SHA256 = sum
			}
		}
		out[name] = o
	}
	return out
}

func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
