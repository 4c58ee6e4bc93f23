package worker

import (
	"crypto/sha256"
	"fmt"
)

// traceparent places an attempt in a trace, in the form of W3C Trace Context: a
// batch is a trace, an attempt one span of it. Both numbers are made of the ids
// alone, so that whoever knows these finds the trace, and nothing needs to be
// kept. It says sampled: who does not collect traces never looks at it.
func traceparent(a *attempt) string {
	const version, sampled = 0, 1
	trace := sha256.Sum256(fmt.Appendf(nil, "candor batch %s", a.spec.Batch))
	span := sha256.Sum256(fmt.Appendf(nil, "candor batch %s lease %d", a.spec.Batch, a.Lease))
	return fmt.Sprintf("%02x-%x-%x-%02x", version, trace[:16], span[:8], sampled)
}
