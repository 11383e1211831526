package utilities_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/meterkey/meterkey/utilities"
)

func TestDump(t *testing.T) {
	server, err := practice.Start(t.Context(), practice.Options{FormDelay: 100 * time.Millisecond, SlowDelay: time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close(context.Background())) })
	catalog, err := utilities.Load("")
	require.NoError(t, err)
	f := strings.Split(os.Getenv("DUMP"), "|") // UTIL|user|path,path
	u, err := catalog.Find(f[0])
	require.NoError(t, err)
	page := utilities.NewPage(t)
	page.OnRequest(func(r playwright.Request) {
		if r.ResourceType() != "stylesheet" && r.ResourceType() != "script" {
			fmt.Println(r.Method(), r.ResourceType(), r.URL(), r.Headers()["authorization"])
		}
	})
	v := u.Visit(func() playwright.Page { return page }, utilities.VisitOptions{Origins: server.Origins()})
	sight, err := v.SignIn(t.Context(), utilities.Credentials{Username: f[1], Password: practice.Password})
	require.NoError(t, err)
	fmt.Println(sight.Page)
	for _, p := range f[2:] {
		if strings.HasPrefix(p, "js:") {
			x, err := page.Evaluate(p[3:])
			fmt.Println(x, err)
			continue
		}
		if p != "" {
			_, err = page.Goto(server.Origins()[p[:strings.Index(p[8:], "/")+8]] + p[strings.Index(p[8:], "/")+8:])
			fmt.Println(err)
		}
		time.Sleep(1500 * time.Millisecond)
		html, err := page.Content()
		fmt.Println(page.URL(), err)
		if i := strings.Index(html, "<main"); i > 0 {
			html = html[i:]
		}
		fmt.Println(html[:min(6000, len(html))])
	}
}
