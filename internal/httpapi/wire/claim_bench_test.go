package wire

import (
	"encoding/json"
	"testing"
	"time"

	"candor"
)

// slots is how many results and tasks the benchmark's claim carries.
const slots = 100

func sampleRequest(n int) *candor.ClaimRequest {
	req := &candor.ClaimRequest{Session: 17, Max: n, Wait: candor.Duration(30 * time.Second),
		View: candor.View{State: candor.WorkerReady}}
	for i := range n {
		req.Results = append(req.Results, candor.Result{Task: candor.TaskID(1000 + i), Lease: int64(90000 + i), Outcome: candor.AttemptDone,
			Started: time.Date(2026, 11, 24, 3, 29, 45, 123456789, time.UTC), Took: candor.Duration(12 * time.Millisecond),
			Exit: &candor.Exit{CPU: candor.Duration(3 * time.Millisecond), MaxRSS: 12 << 20, Written: 812}})
	}
	return req
}

func sampleReply(n int) *candor.ClaimReply {
	reply := &candor.ClaimReply{Steps: []candor.StepSpec{{Batch: 77, BatchName: "library", BatchDir: "/srv/batches/b_9m3k4t2x",
		Step: candor.Step{Name: "passages", Class: candor.ClassCPU, Run: `./split "$ITEM" > passages.json`,
			Each: &candor.Each{Glob: "docs/**/*.md"}, Outputs: map[string]string{"passages": "passages.json"}, Timeout: candor.Duration(10 * time.Minute), Retries: 2}}}}
	for i := range n {
		reply.Tasks = append(reply.Tasks, candor.Assignment{Task: candor.TaskID(5000 + i), Index: i, Item: json.RawMessage(`"docs/architecture/overview.md"`), Attempt: 1, Lease: int64(190000 + i)})
	}
	return reply
}

// BenchmarkServerClaim is the server's share of a claim with 100 results and
// 100 tasks: decode the request, encode the reply.
func BenchmarkServerClaim(b *testing.B) {
	data, err := AppendClaimRequest(nil, sampleRequest(slots))
	if err != nil {
		b.Fatal(err)
	}
	reply := sampleReply(slots)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var req candor.ClaimRequest
		if err := DecodeClaimRequest(data, &req); err != nil {
			b.Fatal(err)
		}
		if buf, err = AppendClaimReply(buf[:0], reply); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/slots, "ns/task")
}

// BenchmarkClientClaim is the client's share of the same.
func BenchmarkClientClaim(b *testing.B) {
	data, err := AppendClaimReply(nil, sampleReply(slots))
	if err != nil {
		b.Fatal(err)
	}
	req := sampleRequest(slots)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = AppendClaimRequest(buf[:0], req); err != nil {
			b.Fatal(err)
		}
		var reply candor.ClaimReply
		if err := DecodeClaimReply(data, &reply); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/slots, "ns/task")
}

// BenchmarkServerClaimStandard is BenchmarkServerClaim by encoding/json alone.
func BenchmarkServerClaimStandard(b *testing.B) {
	data, err := json.Marshal(sampleRequest(slots))
	if err != nil {
		b.Fatal(err)
	}
	reply := sampleReply(slots)
	b.ReportAllocs()
	for b.Loop() {
		var req candor.ClaimRequest
		if err := json.Unmarshal(data, &req); err != nil {
			b.Fatal(err)
		}
		if _, err := json.Marshal(reply); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/slots, "ns/task")
}
