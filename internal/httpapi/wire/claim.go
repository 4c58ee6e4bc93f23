package wire

import (
	"encoding/json"

	"candor"
)

// DecodeClaimRequest reads a claim.
func DecodeClaimRequest(data []byte, req *candor.ClaimRequest) error {
	return json.Unmarshal(data, req)
}

// AppendClaimReply appends a reply.
func AppendClaimReply(dst []byte, reply *candor.ClaimReply) ([]byte, error) {
	b, err := json.Marshal(reply)
	return append(dst, b...), err
}

// DecodeClaimReply reads a reply.
func DecodeClaimReply(data []byte, reply *candor.ClaimReply) error {
	return json.Unmarshal(data, reply)
}

// AppendClaimRequest appends a claim.
func AppendClaimRequest(dst []byte, req *candor.ClaimRequest) ([]byte, error) {
	b, err := json.Marshal(req)
	return append(dst, b...), err
}
