package utilities

import "go.uber.org/zap/zapcore"

const redacted = "[redacted]"

// Credentials are a customer's login. Every way of printing them prints a placeholder.
type Credentials struct{ Username, Password string }

// String hides the login.
func (Credentials) String() string { return redacted }

// GoString hides the login from %#v.
func (Credentials) GoString() string { return redacted }

// MarshalJSON hides the login from JSON.
func (Credentials) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalLogObject hides the login from zap.
func (Credentials) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("credentials", redacted)
	return nil
}
