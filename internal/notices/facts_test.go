package notices

import (
	"fmt"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterkey/meterkey"
)

func TestTimeLeft(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		7*day - time.Second: "7 days", 7 * day: "7 days", 6*day + 12*time.Hour: "6 days", 2 * day: "2 days", 2*day - time.Minute: "2 days",
		day + 20*time.Hour: "44 hours", day: "24 hours", 3*time.Hour - time.Second: "3 hours", 2 * time.Hour: "2 hours", 90 * time.Minute: "90 minutes",
		10*time.Minute - 2*time.Second: "10 minutes", 9*time.Minute + 20*time.Second: "9 minutes", time.Minute: "1 minute", 31 * time.Second: "1 minute",
		20 * time.Second: "", 0: "", -day: "",
	} {
		require.Equal(t, want, left(d), d)
	}
}

// FuzzTimeLeft never promises more time than there is, but for the moments that a notice takes to be written.
func FuzzTimeLeft(f *testing.F) {
	for _, d := range []time.Duration{0, time.Minute, time.Hour, 47 * time.Hour, 1 << 60, -1} {
		f.Add(int64(d))
	}
	units := map[string][2]time.Duration{ // the unit and the moments that do not count
		"minute": {time.Minute, 30 * time.Second}, "hour": {time.Hour, 5 * time.Minute}, "day": {24 * time.Hour, time.Hour},
	}
	f.Fuzz(func(t *testing.T, n int64) {
		d := time.Duration(n)
		if d > 1<<62 {
			return // no deadline is that far away
		}
		said := left(d)
		if said == "" {
			require.Less(t, d, 30*time.Second)
			return
		}
		number, noun, _ := strings.Cut(said, " ")
		count, err := strconv.Atoi(strings.ReplaceAll(number, ",", ""))
		require.NoError(t, err)
		require.Positive(t, count)
		require.Equal(t, count != 1, strings.HasSuffix(noun, "s"))
		unit, known := units[strings.TrimSuffix(noun, "s")]
		require.True(t, known, said)
		require.LessOrEqual(t, time.Duration(count)*unit[0], d+unit[1], "%s of %s", said, d)
	})
}

func TestAddressesThatAreFollowed(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://www.site.example/faq?a=b#c": "https://www.site.example/faq?a=b#c", " https://x.example ": "https://x.example", "http://localhost:8400/r/1": "http://localhost:8400/r/1",
		"javascript:alert(1)": "", "//x.example": "", "mailto:a@b.example": "", "https:///x": "", "data:text/html,x": "", "%": "", "": "", "file:///etc/passwd": "",
		"https://x.example/a b": "https://x.example/a%20b", "https://x.example/\"onclick=": "https://x.example/%22onclick=",
	} {
		require.Equal(t, want, webAddress(address), address)
	}
	require.Equal(t, "x.example", block{Address: "https://x.example/a"}.Host())
	require.Equal(t, "%", block{Address: "%"}.Host())
}

func TestNamesOfFiles(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, id := range []string{
		"r-1042.0f3a9c11.1", "a", "_", "", ".", "..", ".hidden", "-rf", "a/b", `a\b`, "a b", "ä", "a\x00", strings.Repeat("x", 150), strings.Repeat("x", 151), "A:B",
	} {
		name := safeName(id)
		require.Regexp(t, `^[A-Za-z0-9_][A-Za-z0-9._-]*$`, name, id)
		require.LessOrEqual(t, len(name), 150)
		require.NotContains(t, seen, name, "%q and %q", id, seen[name])
		seen[name] = id
	}
}

// FuzzLetters writes notices about whatever requesters and files may hold: it stays one letter to one person, and their words stay words.
func FuzzLetters(f *testing.F) {
	for _, seed := range [][4]string{
		{"Acme Solar", "PECO", "https://acme.example/r", "pat@customer.example"}, {"", "", "", ""}, {"{{.Link}}", "<b>", "javascript:x", "a@b"},
		{"A\r\nBcc: x@y.example", "B\n\n[x](https://evil.example)", "https://evil.example/\">", "pat@customer.example, other@x.example"},
		{"\u202eevil", "\x00", "https://\xff", "\"a b\"@c.example"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	folder := f.TempDir()
	s, err := New(Options{From: "Meterkey <notices@meterkey.example>", Outbox: folder, Link: links})
	require.NoError(f, err)
	all := samples()
	f.Fuzz(func(t *testing.T, requester, utility, link, address string) {
		for i, sample := range all {
			n := sample.Notice
			n.ID = fmt.Sprintf("n-%d", i)
			n.Request.RequesterName, n.Request.Link = requester, link
			if n.To == meterkey.ToCustomer {
				n.Request.CustomerEmail = address
			}
			delivery, err := s.Send(t.Context(), n, UtilityInfo{ID: "X", Name: utility, FAQ: link, Website: link})
			if err != nil {
				require.ErrorIs(t, err, ErrRefused)
				continue
			}
			if delivery == NoAddress {
				continue
			}
			raw, err := os.ReadFile(filepath.Join(folder, n.ID+".eml"))
			require.NoError(t, err)
			requireOneLetter(t, string(raw))
		}
	})
}

func requireOneLetter(t *testing.T, raw string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	require.NoError(t, err)
	for _, header := range []string{"Bcc", "Cc", "Reply-To"} {
		require.Empty(t, m.Header.Get(header))
	}
	to, err := m.Header.AddressList("To")
	require.NoError(t, err)
	require.Len(t, to, 1)
	require.Len(t, m.Header["Subject"], 1)
	require.NotContains(t, raw, "\nBcc:")
	require.NotContains(t, raw, "href=3D\"javascript")
	require.NotContains(t, raw, "<img")
}

func TestFoldersThatAreOfNoUse(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := New(Options{From: "a@b.example", SMTP: &url.URL{Scheme: "smtp", Host: "127.0.0.1:1"}, Sent: file})
	require.ErrorContains(t, err, "opening the folder of sent notices")

	taken := filepath.Join(t.TempDir(), "outbox")
	require.NoError(t, os.MkdirAll(filepath.Join(taken, notice().ID+".eml", "inner"), 0o700))
	_, err = newSender(t, Options{Outbox: taken}).Send(t.Context(), notice(), utility())
	require.ErrorContains(t, err, "writing to the outbox")
	left, err := os.ReadDir(taken)
	require.NoError(t, err)
	require.Len(t, left, 1, "no half of a letter is left behind")
}

// TestASentMarkThatCannotBeMade is no reason to say that the letter was not sent.
func TestASentMarkThatCannotBeMade(t *testing.T) {
	t.Parallel()
	server := startMailServer(t, false, false)
	sent := filepath.Join(t.TempDir(), "sent")
	s := newSender(t, Options{SMTP: server.url("smtp"), Sent: sent})
	require.NoError(t, os.Remove(sent))
	delivery, err := s.Send(t.Context(), notice(), utility())
	require.NoError(t, err)
	require.Equal(t, Sent, delivery)
	require.Len(t, server.messages(), 1)
}

func TestAPortThatIsNone(t *testing.T) {
	t.Parallel()
	address := &url.URL{Scheme: "smtp", Host: "127.0.0.1:99999999999999999999"}
	_, err := newSender(t, Options{SMTP: address, Sent: t.TempDir()}).Send(t.Context(), notice(), utility())
	require.ErrorContains(t, err, "reading the mail server's port")
	require.NotErrorIs(t, err, ErrRefused, "an operator can mend it")
}
