package practice_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/meterkey/meterkey/sandbox/practice"
	"github.com/stretchr/testify/require"
)

// Each design of site, spoken to as its own pages speak to it: the same rules have to hold on every one.

// design is how one site takes a login, a code and the wish for another code. Each gives all that came back as one text.
type design struct {
	login func(c *client, user, password string) string
	code  func(c *client, code string) string
	again func(c *client) string
	// rejected, wrong and inside are found in what comes back.
	rejected, wrong, inside string
}

// text puts status, location and body together, so that one look finds what the site said.
func (a answer) text() string { return fmt.Sprintf("%d %s %s", a.status, a.location, a.body) }

// with writes JSON of pairs of names and values; "passcode" stands below credentials.
func with(pairs ...string) string {
	fields := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		fields[pairs[i]] = pairs[i+1]
		if pairs[i] == "passcode" {
			fields["credentials"] = map[string]string{"passcode": pairs[i+1]}
		}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

const (
	sdgeHost = "https://myenergycenter.com/portal/PreLogin/"
	sceHost  = "https://www.sce.com/mysce/api/v1/"
	psegHost = "https://id.myaccount.pseg.com/idp/idx/"
	hecoHost = "https://eservice.hawaiianelectric.com/bdisu/"
	everHost = ever + "/security/account/"
)

func designs() map[string]design {
	return map[string]design{
		"DEMO": {
			login: func(c *client, user, password string) string { return c.signsIn(user, password).text() },
			code:  func(c *client, code string) string { return c.enters(code).text() },
			again: func(c *client) string { return c.fills(demo + "/code/again").text() },

			rejected: "is not right", wrong: "That is not right", inside: "303 /meters",
		},
		"HECO": {
			login: func(c *client, user, password string) string {
				return c.fills(hecoHost+"logon.sap", "sap-user", user, "sap-password", password).text()
			},
			code: func(c *client, code string) string {
				return c.fills(hecoHost+"verify.sap", "action", "verify", "passcode", code).text()
			},
			again: func(c *client) string { return c.fills(hecoHost+"verify.sap", "action", "send").text() },

			rejected: "password not found", wrong: "code is not right", inside: "303 /bdisu/accounts.sap",
		},
		"SDGE": {
			login: func(c *client, user, password string) string {
				return c.posts(sdgeHost+"Validate", with("username", user, "password", password)).text()
			},
			code: func(c *client, code string) string {
				return c.posts(sdgeHost+"TwoStepVerification", with("code", code)).text()
			},
			again: func(c *client) string { return c.posts(sdgeHost+"TwoStepVerification/Resend", "{}").text() },

			rejected: "password is incorrect", wrong: "code is incorrect", inside: "/portal/Dashboard/index",
		},
		"SCE": {
			login: func(c *client, user, password string) string {
				return c.posts(sceHost+"authn", with("username", user, "password", password)).text()
			},
			code: func(c *client, code string) string {
				return c.posts(sceHost+"authn/verify", with("passCode", code)).text()
			},
			again: func(c *client) string { return c.posts(sceHost+"authn/send", "{}").text() },

			rejected: "password you entered is incorrect", wrong: "code you entered is incorrect", inside: "/mysce/myaccount",
		},
		"PSEG": {
			login: func(c *client, user, password string) string {
				return c.posts(psegHost+"challenge/password", with("identifier", user, "passcode", password)).text()
			},
			code: func(c *client, code string) string {
				return c.posts(psegHost+"challenge/answer", with("passcode", code)).text()
			},
			again: func(c *client) string { return c.posts(psegHost+"challenge/send", "{}").text() },

			rejected: "Unable to sign in", wrong: "Invalid code", inside: "/login/token/redirect",
		},
		"CONED":      conedDesign(),
		"EVERSOURCE": eversourceDesign(),
		"BGE":        exelonDesign(),
	}
}

func conedDesign() design {
	return design{
		login: func(c *client, user, password string) string {
			return c.posts(conedAPI+"Login", with("LoginEmail", user, "LoginPassword", password)).text()
		},
		code: func(c *client, code string) string {
			return c.posts(conedAPI+"VerifyFactor", with("MFACode", code)).text()
		},
		again: func(c *client) string { return c.posts(conedAPI+"ResendMFACode", "{}").text() },

		rejected: "do not match", wrong: `"code": false`, inside: "sessionCookieRedirect",
	}
}

// eversourceDesign posts with the token its page carries.
func eversourceDesign() design {
	post := func(c *client, service, body string) string {
		page := c.gets(everHost + "login").body
		forged := regexp.MustCompile(`formToken&#34;:&#34;([A-Z0-9]+)`).FindStringSubmatch(page)
		if forged == nil {
			return page
		}
		return c.posts(everHost+service, body, "__RequestVerificationToken", forged[1]).text()
	}
	return design{
		login: func(c *client, user, password string) string {
			return post(c, "MSLogin", with("WebId", user, "Password", password))
		},
		code:  func(c *client, code string) string { return post(c, "MSVerify", with("PassCode", code)) },
		again: func(c *client) string { return post(c, "MSResend", "{}") },

		rejected: "password you typed is not right", wrong: "code you typed is not right", inside: "/cg/customer/accountoverview",
	}
}

// exelonDesign sends a code as its page does when it is drawn, and takes one as its page does when it is typed.
func exelonDesign() design {
	post := func(c *client, service, body string) answer {
		return c.asks(http.MethodPost, bgePolicy+"/SelfAsserted"+service, formType, body, "X-CSRF-TOKEN", c.b2c())
	}
	control := "/DisplayControlAction/vbeta/emailVerificationControl/"
	next := func(c *client, got answer) string {
		if strings.Contains(got.body, `"status": "200"`) && !strings.Contains(got.body, "redirect") {
			return c.gets(bgePolicy + "/api/CombinedSigninAndSignup/confirmed").text()
		}
		return got.text()
	}
	return design{
		login: func(c *client, user, password string) string {
			page := next(c, post(c, "", "request_type=RESPONSE&signInName="+user+"&password="+password))
			if strings.Contains(page, "emailVerificationControl") {
				return page + post(c, control+"SendCode", "").text()
			}
			return page
		},
		code: func(c *client, code string) string {
			return next(c, post(c, control+"VerifyCode", "verificationCode="+code))
		},
		again: func(c *client) string { return post(c, control+"SendCode", "").text() },

		rejected: "password is not right", wrong: "code is not right", inside: "/accounts/login/callback",
	}
}

// everywhere runs a rule on every design, each with a server and a browser of its own.
func everywhere(t *testing.T, rule func(*testing.T, string, design, *client), changes ...func(*practice.Options)) {
	t.Helper()
	for id, site := range designs() {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			rule(t, id, site, newClient(t, start(t, changes...)))
		})
	}
}

func TestEverywhereTheRightPasswordIsEnoughForPlainAccounts(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, id string, site design, c *client) {
		require.Contains(t, site.login(c, "plain@example.com", practice.Password), site.inside)
		require.Equal(t, practice.Ledger{Logins: 1, SignIns: 1}, ledgerOf(t, c.srv, id, "plain@example.com"))
	})
}

func TestEverywhereWrongPasswordsAreRejectedAndThenLock(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, id string, site design, c *client) {
		user := "plain.wrong@example.com"
		require.Contains(t, site.login(c, user, "1"), site.rejected)
		require.Contains(t, site.login(c, user, "2"), site.rejected)
		require.Contains(t, site.login(c, user, "3"), "locked")
		require.Contains(t, site.login(c, user, practice.Password), "locked")
		require.Contains(t, site.login(c, "locked@example.com", practice.Password), "locked")
		require.Equal(t, practice.Ledger{Logins: 4, LoginsRejected: 4, Lockouts: 1}, ledgerOf(t, c.srv, id, user))
	})
}

func TestEverywhereACodeIsAskedForAndTaken(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, id string, site design, c *client) {
		user := "code@example.com"
		require.NotContains(t, site.login(c, user, practice.Password), site.inside)
		inbox := inboxOf(t, c.srv, id, user)
		require.Len(t, inbox, 1)
		require.Contains(t, site.code(c, "0"), site.wrong)
		require.Contains(t, site.code(c, inbox[0].Code), site.inside)
		want := practice.Ledger{Logins: 1, CodesSent: 1, CodesSubmitted: 2, CodesWrong: 1, SignIns: 1}
		require.Equal(t, want, ledgerOf(t, c.srv, id, user))
	})
}

func TestEverywhereThreeWrongCodesEndTheSession(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, id string, site design, c *client) {
		user := "code@example.com"
		site.login(c, user, practice.Password)
		code := inboxOf(t, c.srv, id, user)[0].Code
		site.code(c, "1")
		site.code(c, "2")
		require.Contains(t, site.code(c, "3"), "/session-ended")
		require.NotContains(t, site.code(c, code), site.inside)
		require.Equal(t, 1, ledgerOf(t, c.srv, id, user).SessionsEnded)
	})
}

func TestEverywhereANewCodeVoidsTheOneBefore(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, id string, site design, c *client) {
		user := "code@example.com"
		site.login(c, user, practice.Password)
		site.again(c)
		inbox := inboxOf(t, c.srv, id, user)
		require.Len(t, inbox, 2)
		require.Contains(t, site.code(c, inbox[0].Code), site.wrong)
		require.Contains(t, site.code(c, inbox[1].Code), site.inside)
	}, func(o *practice.Options) { o.ResendAfter = time.Nanosecond })
}

func TestEverywhereCodesHaveACoolDown(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, id string, site design, c *client) {
		user := "code@example.com"
		site.login(c, user, practice.Password)
		site.again(c)
		require.Equal(t, 1, ledgerOf(t, c.srv, id, user).CodesSent)
	}, func(o *practice.Options) { o.ResendAfter = time.Hour })
}

func TestEverywhereACodeNobodyAskedForEndsWithTheSession(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, _ string, site design, c *client) {
		require.Contains(t, site.code(c, "123456"), "/session-ended")
		require.Contains(t, site.again(c), "/session-ended")
	})
}

func TestEverywhereSessionsEndByThemselves(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, id string, site design, c *client) {
		user := "ends@example.com"
		site.login(c, user, practice.Password)
		require.Eventually(t, func() bool { return ledgerOf(t, c.srv, id, user).SessionsEnded == 1 }, 3*time.Minute, 5*time.Millisecond)
		require.Contains(t, site.code(c, inboxOf(t, c.srv, id, user)[0].Code), "/session-ended")
		require.Contains(t, site.again(c), "/session-ended")
	}, func(o *practice.Options) { o.EndsAfter = 20 * time.Millisecond })
}

func TestEverywhereLoginsEndWhereTheirKindSays(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, id string, site design, c *client) {
		for user, want := range map[string]string{
			"expired@example.com": "/notice/password-expired", "captcha@example.com": "/notice/captcha",
			"wrong@example.com": site.rejected, "down@example.com": "503", "unfinished@example.com": "/notice/finish-registration",
		} {
			if id == "SCE" && user == "unfinished@example.com" {
				want = "VERIFICATION_PENDING"
			}
			require.Contains(t, site.login(c, user, practice.Password), want, user)
			require.Zero(t, ledgerOf(t, c.srv, id, user).SignIns)
		}
	})
}

func TestEverywhereMFATurnedOffIsNotAskedFor(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, id string, site design, c *client) {
		user := "code@example.com"
		require.NotContains(t, site.login(c, user, practice.Password), site.inside)
		ask(t, c.srv, http.MethodPost, "/mfa/"+id+"/"+user, `{"enabled": false}`, nil)
		require.Contains(t, site.login(c, user, practice.Password), site.inside)
		require.Equal(t, 1, ledgerOf(t, c.srv, id, user).CodesSent, "none but the first")
	})
}

func TestEverywhereAnOutageStopsLogins(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, id string, site design, c *client) {
		ask(t, c.srv, http.MethodPost, "/outage/"+id, `{"on": true}`, nil)
		if id == "BGE" || id == "EVERSOURCE" { // their pages, which carry a token, are down too
			require.Equal(t, http.StatusServiceUnavailable, c.gets(utilitiesOf(t, c.srv)[id].LoginURL).status)
			return
		}
		require.Contains(t, site.login(c, "plain@example.com", practice.Password), "503")
		require.Zero(t, ledgerOf(t, c.srv, id, "plain@example.com").Logins)
	})
}

func TestServicesRefuseWhatIsNoJSON(t *testing.T) {
	t.Parallel()
	c := newClient(t, start(t))
	for _, service := range []string{conedAPI + "Login", sceHost + "authn", sdgeHost + "Validate", psegHost + "identify"} {
		require.Equal(t, http.StatusBadRequest, c.posts(service, "<xml/>").status, service)
		require.Equal(t, http.StatusBadRequest, c.posts(service, `{"x": "`+strings.Repeat("x", 70_000)+`"}`).status, "too long")
	}
}
