package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// Error is the body of every answer that is not a success, and an error that a handler may return.
type Error struct {
	// Code says what kind of error this is; programs branch on it.
	Code string `json:"error" doc:"What kind of error this is: programs branch on it." example:"invalid_request"`
	// Description says what is wrong and what would be right.
	Description string `json:"error_description" doc:"What is wrong and what would be right, for people." example:"customer_email: is not an e-mail address"`
	// URL is where to read more. There is no such page: it is always null.
	URL *string `json:"url" doc:"Where to read more, or null."`
	// Fields says of each field that is wrong what is wrong with it.
	Fields map[string]string `json:"fields,omitempty" doc:"What is wrong with each field, by its name."`

	status  int
	headers http.Header
	cause   error
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Description }

// GetStatus is the HTTP status to answer with.
func (e *Error) GetStatus() int { return e.status }

// GetHeaders are headers to answer with.
func (e *Error) GetHeaders() http.Header { return e.headers }

// Unwrap is what brought the error about, if anything did.
func (e *Error) Unwrap() error { return e.cause }

// code names a status for programs.
func code(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "invalid_request"
	case http.StatusUnauthorized:
		return "unauthorized"
	case http.StatusServiceUnavailable:
		return "temporarily_unavailable"
	case http.StatusInternalServerError:
		return "server_error"
	}
	return strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
}

// fail is an error of the given status; the description is formatted like fmt.Errorf's.
func fail(status int, format string, args ...any) *Error {
	return &Error{Code: code(status), Description: fmt.Sprintf(format, args...), status: status}
}

// wrongField is the error of a field with a wrong value: status 422.
func wrongField(field, format string, args ...any) *Error {
	problem := fmt.Sprintf(format, args...)
	e := fail(http.StatusUnprocessableEntity, "%s: %s", field, problem)
	e.Fields = map[string]string{field: problem}
	return e
}

// notFound is the answer for whatever the requester does not have, whether or not another one has it.
func notFound(what string) *Error {
	return fail(http.StatusNotFound, "there is no such %s", what)
}

// internalError is told when it is our fault. The cause is for our log only.
func internalError(requestID string, cause error) *Error {
	e := fail(http.StatusInternalServerError, "something went wrong on our side; our log has it as request %s", requestID)
	e.cause = cause
	return e
}

// The library makes all its errors by one function that it lets its users replace, for the whole process. This package
// is its only user.
func init() { huma.NewError = newError }

// newError puts the library's errors into our envelope. It never repeats a value that was sent: it may be a secret. The
// first mistake decides on the status.
func newError(status int, message string, errs ...error) huma.StatusError {
	e := fail(status, "%s", message)
	var problems []string
	for i, err := range errs {
		place, field, problem := locate(err)
		if i == 0 {
			e.status = statusAt(place, status)
			e.Code, e.Fields = code(e.status), map[string]string{}
		}
		e.Fields[field] = problem
		problems = append(problems, field+": "+problem)
	}
	if len(problems) > 0 {
		e.Description = strings.Join(problems, "; ")
	}
	return e
}

// statusAt is the status of a mistake by its place: an address that can name nothing is not found, one that cannot be read
// is a bad request, a wrong value in a body keeps its status.
func statusAt(place string, status int) int {
	switch place {
	case "path":
		return http.StatusNotFound
	case "query", "header":
		return http.StatusBadRequest
	}
	return status
}

// locate tells where the library found a mistake, which field it is and what is wrong with it.
func locate(err error) (place, field, problem string) {
	var detailer huma.ErrorDetailer
	if !errors.As(err, &detailer) {
		return "body", "body", "cannot be read"
	}
	detail := detailer.ErrorDetail()
	place, field, found := strings.Cut(detail.Location, ".")
	if missing := missingField(detail.Message); missing != "" {
		return place, strings.TrimPrefix(field+"."+missing, "."), "is missing"
	}
	if !found {
		field = place
	}
	return place, field, detail.Message
}

// missingField is the field that the library misses, which it names in its message alone.
func missingField(message string) string {
	var field string
	if _, err := fmt.Sscanf(message, validation.MsgExpectedRequiredProperty, &field); err != nil {
		return ""
	}
	return field
}
