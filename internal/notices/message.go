package notices

import (
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// message is a notice ready to be sent.
type message = *gomail.Msg

// newMessage makes a message that every attempt to send the notice makes alike: its Message-ID tells mail systems so.
func newMessage(from *mail.Address, to, name string, l letter, now time.Time) (message, error) {
	m := gomail.NewMsg(gomail.WithCharset(gomail.CharsetUTF8))
	m.FromMailAddress(from)
	// The library's error quotes the address.
	if err := m.To(to); err != nil {
		return nil, fmt.Errorf("%w: the recipient is not a mail address", ErrRefused)
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	m.SetMessageIDWithValue(name + "@" + domain)
	m.SetDateWithValue(now)
	m.Subject(l.Subject)
	// RFC 3834: keeps out-of-office replies away.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	return m, nil
}
