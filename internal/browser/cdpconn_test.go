package browser

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// stub is a browser that answers each message as told; "" means not at all.
func stub(t *testing.T, answer func(request cdpRequest) string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow() //nolint:errcheck // the test is over
		for {
			_, data, err := ws.Read(r.Context())
			var request cdpRequest
			if err != nil || json.Unmarshal(data, &request) != nil {
				return
			}
			if text := answer(request); text != "" && ws.Write(r.Context(), websocket.MessageText, []byte(text)) != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http", "ws", 1)
}

func dialStub(t *testing.T, answer func(request cdpRequest) string) *cdpConn {
	t.Helper()
	w, err := dialCDP(t.Context(), stub(t, answer), func(string, json.RawMessage) {})
	require.NoError(t, err)
	t.Cleanup(w.close)
	return w
}

func TestCDPConnRefusal(t *testing.T) {
	w := dialStub(t, func(cdpRequest) string { return `{"id":1,"error":{"code":-32000,"message":"not here"}}` })
	err := w.call(t.Context(), "", "Some.method", nil, nil)
	var refusal *cdpError
	require.ErrorAs(t, err, &refusal)
	require.EqualError(t, err, "Some.method: not here")
}

func TestCDPConnIsBoundedByTheContext(t *testing.T) {
	asked := make(chan struct{}, 1)
	w := dialStub(t, func(cdpRequest) string { asked <- struct{}{}; return "" })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	require.ErrorIs(t, w.call(ctx, "", "Some.method", nil, nil), context.Canceled)
	require.ErrorIs(t, w.call(ctx, "", "Some.method", nil, nil), context.Canceled, "before it is sent")
	require.False(t, w.closed(), "one caller's deadline is not everybody's")
}

func TestCDPConnThatIsClosed(t *testing.T) {
	for name, answer := range map[string]string{"not JSON": "{", "wrong result": `{"id":1,"result":[]}`} {
		t.Run(name, func(t *testing.T) {
			w := dialStub(t, func(cdpRequest) string { return answer })
			var result struct{ ID string }
			require.Error(t, w.call(t.Context(), "", "Some.method", nil, &result))
		})
	}
	w := dialStub(t, func(cdpRequest) string { return "{" })
	require.ErrorIs(t, w.call(t.Context(), "", "Some.method", nil, nil), errCDPClosed)
	require.Error(t, w.call(t.Context(), "", "Some.method", nil, nil))
	require.True(t, w.closed())
}

func TestNobodyToDial(t *testing.T) {
	_, err := dialCDP(t.Context(), "ws://127.0.0.1:1/", nil)
	require.ErrorContains(t, err, "connecting to the browser")
}

func TestTargetsFollowEvents(t *testing.T) {
	all := newTargets(newBroadcast())
	tell := func(method, params string) { all.onEvent(method, json.RawMessage(params)) }
	tell("Target.targetCreated", `{"targetInfo":{"targetId":"a","type":"page","browserContextId":"W"}}`)
	tell("Target.targetCreated", `{"targetInfo":{"targetId":"b","type":"page","browserContextId":"W"}}`)
	tell("Target.targetCreated", `{"targetInfo":{"targetId":"c","type":"worker","browserContextId":"W"}}`)
	tell("Target.targetCreated", `{"targetInfo":{"targetId":"d","type":"page","subtype":"prerender","browserContextId":"W"}}`)
	tell("Target.targetCreated", `{"targetInfo":{"targetId":"e","type":"page","browserContextId":"X"}}`)
	tell("Target.targetCrashed", `{"targetId":"a"}`)
	tell("Target.targetCrashed", `{"targetId":"unknown"}`)
	tell("Target.targetInfoChanged", `{"targetInfo":{"targetId":"a","type":"page","browserContextId":"W"}}`)
	tell("Some.otherEvent", `{}`)
	tell("Target.targetDestroyed", `[]`)

	pages := all.pages("W")
	require.Equal(t, []string{"a", "b"}, inOrder(nil, pages))
	require.True(t, pages[0].crashed)
	require.Len(t, all.pages(""), 3)
	tell("Target.targetDestroyed", `{"targetId":"a"}`)
	require.Equal(t, []string{"b"}, inOrder(nil, all.pages("W")))
}
