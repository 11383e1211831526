package meterkey

// Reason says why a request went back to an earlier status or failed.
type Reason string

// The reasons. reasonTable has one row for each.
const (
	InvalidCredentials     Reason = "invalid_credentials"
	TooManyLogins          Reason = "too_many_logins"
	AccountLocked          Reason = "account_locked"
	PasswordExpired        Reason = "password_expired"
	RegistrationUnfinished Reason = "registration_unfinished"
	Captcha                Reason = "captcha"
	CodeRejected           Reason = "code_rejected"
	CodeTimeout            Reason = "code_timeout"
	CodeAttemptsUsed       Reason = "code_attempts_used"
	WindowClosed           Reason = "window_closed"
	WindowLost             Reason = "window_lost"
	SessionEnded           Reason = "session_ended"
	UtilityUnavailable     Reason = "utility_unavailable"
	SiteChanged            Reason = "site_changed"
	NoMeters               Reason = "no_meters"
	MFAUnsupported         Reason = "mfa_unsupported"
	Unreadable             Reason = "unreadable"
	UnknownUtility         Reason = "unknown_utility"
	Misconfigured          Reason = "misconfigured"
	Terminated             Reason = "terminated"
)

// ReasonText is what people are told about a reason.
type ReasonText struct {
	Reason Reason
	// Leads is the status that a request takes for this reason.
	Leads Status
	// Acts says who must act for the request to go on.
	Acts WaitingOn
	// Customer is what the customer is told, Requester what the requester is told. An empty text means that this one
	// gets no notice of it.
	Customer, Requester string
	// Next says what happens next.
	Next string
}

var reasonTable = []ReasonText{
	{InvalidCredentials, AwaitingLogin, Customer,
		"Your utility did not accept that user name and password. Check them and sign in again.",
		"The customer's utility did not accept the login.",
		"The customer may sign in again from the same link; after three rejected logins the request ends, so that the utility does not lock the account."},
	{TooManyLogins, Failed, Requester,
		"Your utility rejected three logins. To keep it from locking your account, this request has ended.",
		"Three logins were rejected; the request ended before the utility could lock the account.",
		"Resend the request once the customer has made sure of their password."},
	{AccountLocked, AwaitingLogin, Customer,
		"Your utility has locked your account. Unlock it at your utility's website, then sign in here again.",
		"The customer's account is locked at the utility.",
		"The customer unlocks the account at the utility and signs in again from the same link."},
	{PasswordExpired, AwaitingLogin, Customer,
		"Your utility asks you to choose a new password. Do so at your utility's website, then sign in here again.",
		"The customer's password at the utility has expired.",
		"The customer chooses a new password at the utility and signs in again from the same link."},
	{RegistrationUnfinished, AwaitingLogin, Customer,
		"Your registration at your utility is not finished. Finish it at your utility's website, then sign in here again.",
		"The customer has not finished registering at the utility.",
		"The customer finishes the registration at the utility and signs in again from the same link."},
	{Captcha, Failed, Operator,
		"Your utility asked for a proof that a person is signing in, which we do not get around. This request has ended.",
		"The utility's site asked for a captcha. Meterkey stops there and does not get around it.",
		"An operator looks at the evidence; resend the request later."},
	{CodeRejected, AwaitingCode, Customer,
		"Your utility did not accept that code. Check it and type it again.",
		"",
		"The customer types the code again while the window lives and tries are left."},
	{CodeTimeout, AwaitingLogin, Customer,
		"The code was not typed in time. Sign in again and your utility will send a new one.",
		"The customer did not type the code in time.",
		"The customer signs in again from the same link."},
	{CodeAttemptsUsed, AwaitingLogin, Customer,
		"The codes typed were not right. Sign in again and your utility will send a new one.",
		"The customer used up the tries for the code.",
		"The customer signs in again from the same link."},
	{WindowClosed, AwaitingLogin, Customer,
		"You left before the code was typed. Sign in again whenever you like.",
		"The customer left before the code was typed.",
		"The customer signs in again from the same link."},
	{WindowLost, AwaitingLogin, Customer,
		"Something went wrong on our side. Your login was not the cause: please sign in again.",
		"No browser window could be had, or one was lost, on our side.",
		"The customer signs in again from the same link."},
	{SessionEnded, AwaitingLogin, Customer,
		"Your utility ended the session. Please sign in again.",
		"The utility ended the session before the code was typed.",
		"The customer signs in again from the same link."},
	{UtilityUnavailable, AwaitingLogin, Customer,
		"Your utility's website is not available. Please sign in again later.",
		"The utility's website is not available.",
		"The customer signs in again later from the same link."},
	{SiteChanged, Failed, Operator,
		"Your utility's website showed a page we do not know. We are looking into it; there is nothing to do for you.",
		"The utility's site showed a page that Meterkey does not know.",
		"An operator mends the utility's file from the evidence; then resend the request."},
	{NoMeters, Failed, Requester,
		"Your utility account shows no meters, so there is nothing to connect.",
		"The customer's account shows no meters.",
		"Ask the customer for the account that holds the meters, then send a new request."},
	{MFAUnsupported, AwaitingMFAOff, Customer,
		"Your utility protects your account with a code in a way we cannot answer for you. Turn it off for now, then sign in here again. You may turn it on again as soon as your account is connected.",
		"The customer's account has multi-factor authentication on, which is not supported at this utility. The customer was told how to turn it off.",
		"The customer turns MFA off at the utility and signs in again from the same link."},
	{UnknownUtility, Failed, Requester,
		"We do not know this utility. There is nothing to do for you.",
		"No utility has this id.",
		"Start a new request with the id of a utility that Meterkey knows."},
	{Misconfigured, Failed, Operator,
		"Something is not set up rightly on our side. We are looking into it; there is nothing to do for you.",
		"The workers are not set up for this request.",
		"An operator mends the worker's settings, as the log says; then resend the request."},
	{Terminated, Failed, Requester,
		"This request was ended by the people who run this service. Ask for a new one if you still want to connect your account.",
		"An operator ended the request.",
		"Resend the request."},
	{Unreadable, AwaitingLogin, Requester,
		"What you typed could not be read on our side. Please type it again.",
		"A sealed login or code could not be opened. Seal it to the recipient that the workers publish.",
		"The customer types it again; if it keeps happening, the sender seals to the wrong recipient."},
}

// Reasons lists the reasons with their texts.
func Reasons() []ReasonText { return append([]ReasonText(nil), reasonTable...) }

// Text is the reason's row of the table.
func (r Reason) Text() ReasonText {
	for _, row := range reasonTable {
		if row.Reason == r {
			return row
		}
	}
	return ReasonText{Reason: r, Acts: Nobody}
}
