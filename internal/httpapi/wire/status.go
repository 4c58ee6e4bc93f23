package wire

import (
	"net/http"

	"candor"
)

// statuses maps each error code to its HTTP status. Several codes may share a
// status; the body names the code, so nothing is lost on the way back.
func statuses() []struct {
	Code   candor.Code
	Status int
} {
	return []struct {
		Code   candor.Code
		Status int
	}{
		{candor.CodeInternal, http.StatusInternalServerError},
		{candor.CodeInvalid, http.StatusBadRequest},
		{candor.CodeNotFound, http.StatusNotFound},
		{candor.CodeConflict, http.StatusConflict},
		{candor.CodeUnauthorized, http.StatusUnauthorized},
		{candor.CodeForbidden, http.StatusForbidden},
		{candor.CodeTooLarge, http.StatusRequestEntityTooLarge},
		{candor.CodeUnavailable, http.StatusServiceUnavailable},
		{candor.CodeRetry, http.StatusTooManyRequests},
		{candor.CodeStoreFull, http.StatusInsufficientStorage},
		{candor.CodeTimeout, http.StatusGatewayTimeout},
		{candor.CodeUnplaceable, http.StatusUnprocessableEntity},
		{candor.CodeUnsupported, http.StatusNotImplemented},
		{candor.CodeStale, http.StatusPreconditionFailed},
		// The rest share a status with one above, which that status means when
		// a body says nothing.
		{candor.CodeAmbiguous, http.StatusConflict},
		{candor.CodeLocked, http.StatusServiceUnavailable},
		{candor.CodeStoreBusy, http.StatusServiceUnavailable},
		{candor.CodePortTaken, http.StatusInternalServerError},
		{candor.CodeInterrupted, http.StatusServiceUnavailable},
	}
}

// Status is the HTTP status of a code, 500 for one outside the list.
func Status(code candor.Code) int {
	for _, row := range statuses() {
		if row.Code == code {
			return row.Status
		}
	}
	return http.StatusInternalServerError
}

// CodeOfStatus is the code that an answer without a candor body means:
// something stands between, or is no brain. Unknown statuses are
// candor.CodeUnavailable from 500 on, candor.CodeInvalid below.
func CodeOfStatus(status int) candor.Code {
	for _, row := range statuses() {
		if row.Status == status {
			return row.Code
		}
	}
	switch {
	case status == http.StatusMethodNotAllowed || status == http.StatusUnsupportedMediaType || status < 500:
		return candor.CodeInvalid
	default:
		return candor.CodeUnavailable
	}
}

// Problem is the body of every answer that is no success.
type Problem struct {
	Error *candor.Error `json:"error"`
}
