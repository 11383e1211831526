package customer

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/meterkey/meterkey"
)

const (
	maxLogin  = 256
	maxAnswer = 200
)

// loginForm is what the sign-in page sends. The password is kept as it was typed; blanks around a user name are slips.
type loginForm struct {
	At, Utility, Username, Password string
}

// readLogin reads the form; wrong names the message for each field that is not as it should be.
func readLogin(r *http.Request) (f loginForm, wrong map[string]string) {
	f = loginForm{At: r.PostFormValue("at"), Utility: r.PostFormValue("utility"), Username: strings.TrimSpace(r.PostFormValue("username")),
		Password: r.PostFormValue("password")}
	wrong = map[string]string{}
	for _, field := range []struct{ name, value, missing string }{
		{"username", f.Username, "sign_in.no_username"}, {"password", f.Password, "sign_in.no_password"},
	} {
		switch {
		case field.value == "":
			wrong[field.name] = field.missing
		case utf8.RuneCountInString(field.value) > maxLogin || !utf8.ValidString(field.value) || strings.ContainsRune(field.value, 0):
			wrong[field.name] = "sign_in.too_long"
		}
	}
	return f, wrong
}

// readAnswer makes what the customer typed what the site is to get. Wrong names the message, if it cannot be an answer.
func readAnswer(c *meterkey.Challenge, typed string) (answer, wrong string) {
	if utf8.RuneCountInString(typed) > maxAnswer || !utf8.ValidString(typed) {
		return "", "code.too_long"
	}
	switch c.Kind {
	case meterkey.MethodChoice:
		return readChoice(c, typed)
	case meterkey.SecurityAnswer:
		if answer = strings.TrimSpace(typed); answer == "" {
			return "", "code.empty_question"
		}
		return answer, ""
	default:
		return readCode(c, typed)
	}
}

func readChoice(c *meterkey.Challenge, typed string) (answer, wrong string) {
	for _, option := range c.Options {
		if option.ID == typed {
			return typed, ""
		}
	}
	return "", "choice.empty"
}

// readCode takes out of a number code what people put between its digits.
func readCode(c *meterkey.Challenge, typed string) (answer, wrong string) {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n-\u00a0\u2009\u2010\u2011\u2012\u2013\u202f", r) {
			return -1
		}
		return r
	}, typed)
	switch {
	case digits == "":
		return "", "code.empty"
	case strings.Trim(digits, "0123456789") != "":
		return "", "code.wrong_number"
	case c.Digits > 0 && len(digits) != c.Digits:
		return "", "code.digits"
	}
	return digits, ""
}
