package flow

import (
	"regexp"
	"strings"
)

var (
	email = regexp.MustCompile(`[\w.+*•-]+@[\w.*•-]*[\w*•]`)
	phone = regexp.MustCompile(`\+?[(\dxX*•][\dxX*•()\-. ]{5,}[\dxX*•]`)
)

// maskContacts hides what is left unmasked of e-mail addresses and telephone numbers.
func maskContacts(text string) string {
	text = email.ReplaceAllStringFunc(text, maskEmail)
	return phone.ReplaceAllStringFunc(text, maskPhone)
}

func maskEmail(address string) string {
	name, host, _ := strings.Cut(address, "@")
	if strings.ContainsAny(name, "*•") {
		return address
	}
	return name[:1] + "***@" + host
}

// maskPhone leaves a number of which the site shows only a part. A bullet or a star before a whole number is no mask.
func maskPhone(number string) string {
	const whole = 7 // digits of a number without its area code
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	if len(digits) < whole {
		return number
	}
	return "***" + digits[len(digits)-4:]
}

// maskedContact finds the masked number or address in the first of the texts that has one.
func maskedContact(texts ...string) string {
	for _, text := range texts {
		for _, kind := range []*regexp.Regexp{email, phone} {
			for _, found := range kind.FindAllString(text, -1) {
				if strings.ContainsAny(found, "0123456789@") {
					return strings.TrimSpace(maskContacts(found))
				}
			}
		}
	}
	return ""
}
