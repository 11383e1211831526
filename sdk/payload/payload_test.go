package payload

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"

	commonpb "go.temporal.io/api/common/v1"

	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

func key(tb testing.TB, id string, fill byte) Key {
	tb.Helper()
	k, err := NewKey(id, bytes.Repeat([]byte{fill}, keySize))
	require.NoError(tb, err)
	return k
}

func inWorkflow(dc converter.DataConverter, id string) converter.DataConverter {
	return converter.WithDataConverterSerializationContext(dc, converter.WorkflowSerializationContext{Namespace: "default", WorkflowID: id})
}

func inActivity(dc converter.DataConverter, workflow string) converter.DataConverter {
	return converter.WithDataConverterSerializationContext(dc, converter.ActivitySerializationContext{Namespace: "default", WorkflowID: workflow})
}

// meters is a list such as a large requester's: numbers have no pattern, streets and tariffs repeat.
func meters(n int) []meterkey.Meter {
	source := rand.New(rand.NewPCG(1, 2))
	digits := func(n int) string {
		text := make([]byte, n)
		for i := range text {
			text[i] = "0123456789"[source.IntN(10)]
		}
		return string(text)
	}
	pick := func(from ...string) string { return from[source.IntN(len(from))] }
	list := make([]meterkey.Meter, n)
	for i := range list {
		list[i] = meterkey.Meter{
			AccountNumber: digits(12), MeterNumber: pick("E", "G", "AMI-") + digits(9), ServiceIdentifier: digits(15),
			ServiceAddress: fmt.Sprintf("%d %s %s, Apt %d%s, %s %s", 1+source.IntN(9999), pick("Oak", "Maple", "Atlantic", "Grand", "7th", "Kossuth"),
				pick("St", "Ave", "Blvd"), 1+source.IntN(60), pick("A", "B", "C"), pick("Brooklyn NY", "Newark NJ", "Honolulu HI"), digits(5)),
			ServiceClass: pick("electric", "gas"), Tariff: pick("EL1", "EL2", "SC9-R1", "RES-TOU", "GS-2"), Status: pick("active", "inactive"),
		}
	}
	return list
}

func TestSmallDocumentsStayReadable(t *testing.T) {
	p, err := New(nil).ToPayload(meterkey.Request{RequestID: "r-1"})
	require.NoError(t, err)
	require.Equal(t, "json/plain", encoding(p))
	require.Contains(t, string(p.GetData()), `"request_id":"r-1"`)
}

func TestLargeListFits(t *testing.T) {
	want := meterkey.State{RequestID: "r-1", Status: meterkey.Connected, Meters: meters(20_000)}
	plain, err := json.Marshal(want)
	require.NoError(t, err)
	for name, keys := range map[string]Keys{"compressed": nil, "compressed and encrypted": {key(t, "a", 1)}} {
		t.Run(name, func(t *testing.T) {
			p, err := New(keys).ToPayload(want)
			require.NoError(t, err)
			size := proto.Size(p)
			t.Logf("%d bytes of JSON became %d", len(plain), size)
			require.Greater(t, len(plain), 4<<20)
			require.Less(t, size, 2<<20)
			var got meterkey.State
			require.NoError(t, New(keys).FromPayload(p, &got))
			require.Equal(t, want, got)
		})
	}
}

func TestWhatDoesNotCompressStays(t *testing.T) {
	noise := make([]byte, compressFrom)
	source := rand.NewChaCha8([32]byte{})
	_, err := source.Read(noise)
	require.NoError(t, err)
	p, err := New(nil).ToPayload(noise)
	require.NoError(t, err)
	require.Equal(t, "binary/plain", encoding(p))
}

func TestEncrypted(t *testing.T) {
	dc := inWorkflow(New(Keys{key(t, "a", 1)}), "data-request-r-1")
	want := meterkey.Request{RequestID: "r-1", CustomerEmail: "pat@customer.example"}
	p, err := dc.ToPayload(want)
	require.NoError(t, err)
	require.NotContains(t, p.String(), "customer.example")
	require.Equal(t, map[string][]byte{"encoding": []byte(encodingAES), "meterkey-key": []byte("a"),
		"meterkey-workflow": []byte("data-request-r-1")}, p.GetMetadata())

	again, err := dc.ToPayload(want)
	require.NoError(t, err)
	require.NotEqual(t, p.GetData(), again.GetData(), "no two nonces are the same")
	for name, reader := range map[string]converter.DataConverter{
		"the workflow": dc, "its activity": inActivity(dc, "data-request-r-1"), "nowhere known": New(Keys{key(t, "a", 1)}),
		"after rotation": New(Keys{key(t, "b", 2), key(t, "a", 1)}),
	} {
		t.Run(name, func(t *testing.T) {
			var got meterkey.Request
			require.NoError(t, reader.FromPayload(p, &got))
			require.Equal(t, want, got)
		})
	}
}

func TestMadeWithoutKnowingTheWorkflow(t *testing.T) {
	dc := New(Keys{key(t, "a", 1)})
	p, err := dc.ToPayload(meterkey.ResendCode{ChallengeID: "c-1"})
	require.NoError(t, err)
	require.NotContains(t, p.GetMetadata(), metadataWorkflow)
	var got meterkey.ResendCode
	require.NoError(t, inWorkflow(dc, "data-request-r-1").FromPayload(p, &got))
	require.Equal(t, "c-1", got.ChallengeID)
}

func TestWhatOperatorsReadIsNotEncrypted(t *testing.T) {
	dc := inWorkflow(New(Keys{key(t, "a", 1)}), "data-request-r-1")
	cases := map[string]struct {
		value    any
		readable bool
	}{
		"a summary":                 {"CONED data request for acme", true},
		"long details":              {strings.Repeat("| status |\n", 1000), true},
		"the SDK's current details": {&sdkpb.WorkflowMetadata{CurrentDetails: "waits on the customer"}, true},
		"nothing":                   {nil, true},
		"a document":                {meterkey.ResendCode{ChallengeID: "c-1"}, false},
		"a list":                    {[]string{"c-1"}, false},
		"a number":                  {7, false},
		"bytes":                     {[]byte("c-1"), false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := dc.ToPayload(c.value)
			require.NoError(t, err)
			plain, err := converter.GetDefaultDataConverter().ToPayload(c.value)
			require.NoError(t, err)
			require.Equal(t, c.readable, proto.Equal(plain, p))
		})
	}
}

func TestPlainPayloadsPass(t *testing.T) {
	dc := inWorkflow(New(Keys{key(t, "a", 1)}), "data-request-r-1")
	p := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`{"challenge_id": "c-1"}`)}
	var got meterkey.ResendCode
	require.NoError(t, dc.FromPayload(p, &got))
	require.Equal(t, "c-1", got.ChallengeID)
}

func TestPayloadsThatCannotBeRead(t *testing.T) {
	keys := Keys{key(t, "a", 1)}
	good, err := inWorkflow(New(keys), "data-request-r-1").ToPayload(meterkey.ResendCode{ChallengeID: "c-1"})
	require.NoError(t, err)
	packed, err := New(nil).ToPayload(meters(1000))
	require.NoError(t, err)
	change := func(p *commonpb.Payload, f func(*commonpb.Payload)) *commonpb.Payload {
		changed := proto.CloneOf(p)
		f(changed)
		return changed
	}
	sealed := func(text string) *commonpb.Payload {
		//nolint:gosec // the nonce is random: cipher.NewGCMWithRandomNonce
		p := wrap(encodingAES, keys[0].aead.Seal(nil, nil, []byte(text), associated("a", "")))
		p.Metadata[metadataKey] = []byte("a")
		return p
	}
	bomb := newCompression().to.EncodeAll(make([]byte, maxDecoded+1), nil)
	require.Less(t, len(bomb), 10_000)
	cases := []struct {
		name    string
		reader  converter.DataConverter
		payload *commonpb.Payload
		says    string
	}{
		{"another workflow's", inWorkflow(New(keys), "data-request-r-2"), good, `it belongs to workflow "data-request-r-1", not to "data-request-r-2"`},
		{"no keys", New(nil), good, `no key with id "a" is configured (MK_PAYLOAD_KEYS)`},
		{"an unknown key", New(Keys{key(t, "b", 1)}), good, `no key with id "a"`},
		{"another key of that id", New(Keys{key(t, "a", 2)}), good, "altered or cut short"},
		{"altered", New(keys), change(good, func(p *commonpb.Payload) { p.Data[20] ^= 1 }), "altered or cut short"},
		{"cut short", New(keys), change(good, func(p *commonpb.Payload) { p.Data = p.Data[:5] }), "altered or cut short"},
		{"relabelled", New(keys), change(good, func(p *commonpb.Payload) { p.Metadata[metadataWorkflow] = []byte("data-request-r-2") }), "altered or cut short"},
		{"unlabelled", New(keys), change(good, func(p *commonpb.Payload) { delete(p.Metadata, metadataWorkflow) }), "altered or cut short"},
		{"without its key's id", New(keys), change(good, func(p *commonpb.Payload) { delete(p.Metadata, metadataKey) }), `no key with id ""`},
		{"no payload in it", New(keys), sealed("\xff"), "it holds no payload"},
		{"cut zstd", New(nil), change(packed, func(p *commonpb.Payload) { p.Data = p.Data[:len(p.Data)/2] }), "decompressing a payload"},
		{"no zstd", New(nil), wrap(encodingZstd, []byte("zstd?")), "decompressing a payload"},
		{"a bomb", New(nil), wrap(encodingZstd, bomb), "decompressing a payload"},
		{"zstd of something else", New(nil), wrap(encodingZstd, newCompression().to.EncodeAll([]byte("\xff"), nil)), "it holds no payload"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got any
			require.ErrorContains(t, c.reader.FromPayload(c.payload, &got), c.says)
			require.Nil(t, got)
		})
	}
}

func TestReadKeys(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, keySize))
	short := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 16))
	cases := []struct{ name, text, says string }{
		{"two keys", "# rotated in November\nb " + secret + "\n\n  a\t" + secret + "\n", ""},
		{"none", "# nothing\n", "holds no key"},
		{"one word", secret, "line 1: a line is a key id and 32 bytes in base64"},
		{"three words", "\na b " + secret, "line 2: a line is a key id"},
		{"not base64", "a " + secret + "!", "line 1: key a is not base64"},
		{"too short", "a " + short, "line 1: key a has 16 bytes, not 32"},
		{"twice", "a " + secret + "\na " + secret, "line 2: key id a stands there twice"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "keys")
			require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
			keys, err := ReadKeys(file)
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				require.NotContains(t, err.Error(), secret)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []string{"b", "a"}, []string{keys[0].ID, keys[1].ID})
		})
	}
}

func TestKeyFilesThatWillNotDo(t *testing.T) {
	keys, err := ReadKeys("")
	require.NoError(t, err)
	require.Empty(t, keys)
	_, err = ReadKeys(filepath.Join(t.TempDir(), "absent"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = ReadKeys(t.TempDir())
	require.Error(t, err)
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Chmod(file, 0o604))
	_, err = ReadKeys(file)
	require.ErrorContains(t, err, "run chmod 600 "+file)
	for _, id := range []string{"", "a b", "a\n"} {
		_, err = NewKey(id, make([]byte, keySize))
		require.EqualError(t, err, "a key id is one word")
	}
}

func TestCodecServer(t *testing.T) {
	keys := Keys{key(t, "a", 1)}
	server := httptest.NewServer(CodecServer(keys, "http://127.0.0.1:8233"))
	defer server.Close()
	p, err := inWorkflow(New(keys), "data-request-r-1").ToPayload(meters(100))
	require.NoError(t, err)
	remote := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{Endpoint: server.URL})
	decoded, err := remote.Decode([]*commonpb.Payload{p})
	require.NoError(t, err)
	require.Equal(t, "json/plain", encoding(decoded[0]))

	ask, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, server.URL+"/decode", nil)
	require.NoError(t, err)
	answer, err := server.Client().Do(ask)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusNoContent, answer.StatusCode)
	require.Equal(t, "http://127.0.0.1:8233", answer.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, answer.Header.Get("Access-Control-Allow-Headers"), "X-Namespace")
}

func FuzzDecode(f *testing.F) {
	keys := Keys{key(f, "a", 1)}
	for _, value := range []any{meters(1), meters(50)} {
		for _, keys := range []Keys{nil, keys} {
			p, err := New(keys).ToPayload(value)
			require.NoError(f, err)
			raw, err := proto.Marshal(p)
			require.NoError(f, err)
			f.Add(raw)
		}
	}
	dc := inWorkflow(New(keys), "data-request-r-1")
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p commonpb.Payload
		if proto.Unmarshal(raw, &p) != nil {
			return
		}
		var got any
		if dc.FromPayload(&p, &got) != nil {
			require.Nil(t, got)
		}
	})
}
