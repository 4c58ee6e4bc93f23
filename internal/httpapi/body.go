package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"candor"
	"candor/internal/httpapi/wire"
)

// body reads and decodes the request's body into dst.
func (c *call) body(dst any) error {
	if err := wantJSON(c.r); err != nil {
		return err
	}
	buf := c.bufs.Get()
	defer c.bufs.Put(buf)
	if err := c.readBody(buf); err != nil {
		return err
	}
	return decode(buf.Bytes(), dst, c.route.Tolerant)
}

// wantJSON demands the content type that no HTML form can send.
func wantJSON(r *http.Request) error {
	if t := r.Header.Get("Content-Type"); t != "application/json" {
		if media, _, err := mime.ParseMediaType(t); err != nil || media != "application/json" {
			return &candor.Error{Code: candor.CodeInvalid, Message: fmt.Sprintf("the content type is %q", t),
				Hint: "send JSON, with Content-Type: application/json"}
		}
	}
	return nil
}

func (c *call) readBody(dst *bytes.Buffer) error {
	limit := c.route.Body
	if c.r.ContentLength > limit {
		return tooLarge(limit)
	}
	if c.r.ContentLength > 0 {
		dst.Grow(int(min(c.r.ContentLength, wire.MaxKept)) + bytes.MinRead)
	}
	conn := http.NewResponseController(c.w)
	if err := conn.SetReadDeadline(c.clock.Now().Add(bodyTimeout)); err != nil {
		return fmt.Errorf("limit the request's time: %w", err)
	}
	_, err := dst.ReadFrom(http.MaxBytesReader(c.w, c.r.Body, limit))
	if err != nil {
		return bodyFault(err, limit)
	}
	// From here on the connection is watched for the client's leaving, for as
	// long as the answer takes.
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("lift the request's time limit: %w", err)
	}
	return nil
}

func bodyFault(err error, limit int64) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &candor.Error{Code: candor.CodeInvalid, Cause: err,
			Message: fmt.Sprintf("the request's body did not arrive within %s", candor.ShortDuration(bodyTimeout))}
	}
	return &candor.Error{Code: candor.CodeInvalid, Message: "the request's body broke off", Cause: err}
}

func tooLarge(limit int64) error {
	return &candor.Error{Code: candor.CodeTooLarge, Message: fmt.Sprintf("the request is larger than %s", candor.Bytes(limit)),
		Hint: "send it in several parts"}
}

// decode reads JSON into dst and says what is wrong in the sender's words.
func decode(data []byte, dst any, tolerant bool) error {
	if req, ok := dst.(*candor.ClaimRequest); ok {
		return explain(wire.DecodeClaimRequest(data, req), data)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if !tolerant {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(dst); err != nil {
		return explain(err, data)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return candor.Errorf(candor.CodeInvalid, "the request goes on after its JSON value")
	}
	return nil
}

// explain turns a decoding error into one that names the place.
func explain(err error, data []byte) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*candor.Error](err); ok {
		return own
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return candor.Errorf(candor.CodeInvalid, "the request has no body")
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return candor.Errorf(candor.CodeInvalid, "the request's %s is %s, not %s", fieldName(e), e.Value, kindName(e))
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return candor.Errorf(candor.CodeInvalid, "the request is not JSON: %s, at byte %d", e.Error(), e.Offset)
	}
	return candor.Errorf(candor.CodeInvalid, "the request is not what it should be: %s", strings.TrimPrefix(err.Error(), "json: "))
}

func fieldName(e *json.UnmarshalTypeError) string {
	if e.Field == "" {
		return "JSON value"
	}
	return "field " + e.Field
}

// kindName is what a field should have been, without Go's names.
func kindName(e *json.UnmarshalTypeError) string {
	switch k := e.Type.Kind().String(); {
	case strings.HasPrefix(k, "int"), strings.HasPrefix(k, "uint"), strings.HasPrefix(k, "float"):
		return "a fitting number"
	case k == "slice", k == "array":
		return "a list"
	case k == "struct", k == "map":
		return "an object"
	case k == "bool":
		return "true or false"
	default:
		return "text"
	}
}
