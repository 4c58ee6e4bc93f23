package record

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// childRing in the environment makes the test binary the process to be killed.
const childRing = "RECORD_TEST_RING"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childRing); dir != "" {
		victim(dir)
		return
	}
	goleak.VerifyTestMain(m)
}
