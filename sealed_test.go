package meterkey

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
)

func TestSeal_OpensWithTheIdentityOnly(t *testing.T) {
	t.Parallel()
	identity, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	sealed, err := SealCredentials(identity.Recipient().String(), Credentials{Username: "u", Password: "p\"ß"})
	require.NoError(t, err)
	require.NoError(t, sealed.Check())
	raw, err := base64.StdEncoding.DecodeString(string(sealed))
	require.NoError(t, err)
	r, err := age.Decrypt(bytes.NewReader(raw), identity)
	require.NoError(t, err)
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	var c Credentials
	require.NoError(t, json.Unmarshal(text, &c))
	require.Equal(t, Credentials{Username: "u", Password: "p\"ß"}, c)
	other, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	_, err = age.Decrypt(bytes.NewReader(raw), other)
	require.Error(t, err)
}

func TestSeal_RefusesWhatIsNoRecipient(t *testing.T) {
	t.Parallel()
	for _, recipient := range []string{"", "age1", "AGE-SECRET-KEY-1", "ssh-ed25519 AAAA"} {
		_, err := Seal(recipient, "secret")
		require.ErrorContains(t, err, "recipient")
		require.NotContains(t, err.Error(), "secret-")
	}
}

func TestValidate_NamesTheField(t *testing.T) {
	t.Parallel()
	good := Request{RequestID: "r-1", Requester: "acme", Utility: "CONED"}
	require.NoError(t, good.Validate())
	for field, spoil := range map[string]func(*Request){
		"request_id is missing":      func(r *Request) { r.RequestID = "" },
		"request_id may hold only":   func(r *Request) { r.RequestID = "a/b" },
		"request_id is longer":       func(r *Request) { r.RequestID = strings.Repeat("a", 65) },
		"requester is missing":       func(r *Request) { r.Requester = "" },
		"utility may hold only":      func(r *Request) { r.Utility = "Con Ed" },
		"customer_email is not":      func(r *Request) { r.CustomerEmail = "nobody" },
		"requester_email is not":     func(r *Request) { r.RequesterEmail = "a@b\r\nBcc: x@y" },
		"link must begin with":       func(r *Request) { r.Link = "javascript:alert(1)" },
		"requester_name must be one": func(r *Request) { r.RequesterName = "a\nb" },
	} {
		spoiled := good
		spoil(&spoiled)
		err := spoiled.Validate()
		require.ErrorIs(t, err, ErrInvalidRequest, field)
		require.ErrorContains(t, err, field)
	}
	good.CustomerEmail, good.Link = "a.b+c@example.com", "https://example.com/x"
	require.NoError(t, good.Validate())
}

func TestCredentialsNeverPrint(t *testing.T) {
	t.Parallel()
	c := Credentials{Username: "pat-user", Password: "pat-secret"}
	text, err := json.Marshal(map[string]any{"c": c, "p": &c})
	require.NoError(t, err)
	all := fmt.Sprintf("%v %+v %#v %s %q %v %s", c, c, c, c, c, &c, text)
	require.NotContains(t, all, "pat-")
	require.Contains(t, all, redacted)
}
