package wire

import (
	"encoding/json"

	"candor"
)

// Claims are the hot path: a brain answers thousands of them a second, each
// with up to a hundred results and tasks. Their JSON is exactly encoding/json's,
// but the parts that repeat per result and task are written and read here by
// hand; the rare parts, and every input that is not written as these functions
// write it, go through encoding/json.

// maxHint bounds what a claim's size makes us reserve before it is read.
const maxHint = 4096

// AppendClaimRequest appends req as JSON, byte for byte as encoding/json would.
func AppendClaimRequest(dst []byte, req *candor.ClaimRequest) ([]byte, error) {
	e := encoder{buf: dst}
	e.raw(`{"session":`)
	e.int(req.Session)
	if len(req.Results) > 0 {
		e.raw(`,"results":[`)
		for i := range req.Results {
			e.comma(i)
			e.result(&req.Results[i])
		}
		e.raw(`]`)
	}
	e.raw(`,"max":`)
	e.int(int64(req.Max))
	e.duration(`,"wait":`, req.Wait)
	if req.View != (candor.View{}) {
		e.any(`,"view":`, req.View)
	}
	e.raw(`}`)
	return e.buf, e.err
}

// DecodeClaimRequest reads what AppendClaimRequest wrote, and any other JSON of
// the same meaning, as encoding/json would. req must be zero.
func DecodeClaimRequest(data []byte, req *candor.ClaimRequest) error {
	s := scanner{data: data}
	s.claimRequest(req)
	if s.ok() {
		return nil
	}
	*req = candor.ClaimRequest{}
	return json.Unmarshal(data, req)
}

func (s *scanner) claimRequest(req *candor.ClaimRequest) {
	s.want(`{"session":`)
	req.Session = s.int()
	if s.take(`,"results":[`) {
		req.Results = make([]candor.Result, 0, s.count(`{"task":"`))
		for {
			req.Results = append(req.Results, candor.Result{})
			s.result(&req.Results[len(req.Results)-1])
			if s.bad || !s.take(`,`) {
				break
			}
		}
		s.want(`]`)
	}
	s.want(`,"max":`)
	req.Max = int(s.int())
	if s.take(`,"wait":`) {
		s.duration(&req.Wait)
	}
	if s.take(`,"view":`) {
		s.any(&req.View)
	}
	s.want(`}`)
}

// AppendClaimReply appends reply as JSON, byte for byte as encoding/json would.
func AppendClaimReply(dst []byte, reply *candor.ClaimReply) ([]byte, error) {
	e := encoder{buf: dst}
	e.raw(`{`)
	if len(reply.Results) > 0 {
		e.any(`"results":`, reply.Results)
	}
	if len(reply.Tasks) > 0 {
		e.name(`"tasks":[`)
		for i := range reply.Tasks {
			e.comma(i)
			e.assignment(&reply.Tasks[i])
		}
		e.raw(`]`)
	}
	if len(reply.Steps) > 0 {
		e.name(`"steps":`)
		e.any(``, reply.Steps)
	}
	if reply.Report != nil {
		e.name(`"report":`)
		e.any(``, reply.Report)
	}
	e.raw(`}`)
	return e.buf, e.err
}

// DecodeClaimReply reads what AppendClaimReply wrote, and any other JSON of the
// same meaning, as encoding/json would. reply must be zero.
func DecodeClaimReply(data []byte, reply *candor.ClaimReply) error {
	s := scanner{data: data}
	s.claimReply(reply)
	if s.ok() {
		return nil
	}
	*reply = candor.ClaimReply{}
	return json.Unmarshal(data, reply)
}

func (s *scanner) claimReply(reply *candor.ClaimReply) {
	s.want(`{`)
	first := s.pos
	if s.field(first, `"results":`) {
		s.any(&reply.Results)
	}
	if s.field(first, `"tasks":[`) {
		reply.Tasks = make([]candor.Assignment, 0, s.count(`{"task":"`))
		for {
			reply.Tasks = append(reply.Tasks, candor.Assignment{})
			s.assignment(&reply.Tasks[len(reply.Tasks)-1])
			if s.bad || !s.take(`,`) {
				break
			}
		}
		s.want(`]`)
	}
	if s.field(first, `"steps":`) {
		s.any(&reply.Steps)
	}
	if s.field(first, `"report":`) {
		s.any(&reply.Report)
	}
	s.want(`}`)
}
