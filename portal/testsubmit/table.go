package testsubmit

import (
	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/utilities"
)

// Scenario is one thing that may happen with a customer: who plays it, and how it must end.
type Scenario struct {
	// Name is what test-submit calls it.
	Name string
	// Means says what happens, for people.
	Means string
	// Kind of practice account that signs in.
	Kind string
	// Policy is the MFA policy that the utility must have; empty: any.
	Policy utilities.Policy
	// Utility is where it plays whatever was asked for; empty: anywhere.
	Utility string
	// Steps are what the customer does. None: nothing but signing in.
	Steps []Step
	// Status and Reason are where the data request ends up, or waits for the requester.
	Status meterkey.Status
	Reason meterkey.Reason
	// Meters is how many meters the authorization has then; 0 where the scenario does not say.
	Meters int
}

// unknownUtility is the id of no utility.
const unknownUtility = "UNKNOWN"

// Scenarios lists all scenarios: UtilityAPI's, then one for each MFA route, then one for each reason.
func Scenarios() []Scenario {
	return append(append(utilityAPIs(), routes()...), reasons()...)
}

func utilityAPIs() []Scenario {
	const connected, awaiting = meterkey.Connected, meterkey.AwaitingLogin
	return []Scenario{
		{Name: "residential", Means: "One meter.", Kind: "many-1", Status: connected, Meters: 1},
		{Name: "commercial", Means: "Four meters.", Kind: "many-4", Status: connected, Meters: 4},
		{Name: "badlogin", Means: "The utility rejects the login.", Kind: "wrong", Status: awaiting, Reason: meterkey.InvalidCredentials},
		{Name: "badlogin_after", Means: "One meter; when the customer is asked again later, the utility rejects the login.", Kind: "many-1",
			Steps: again("wrong"), Status: awaiting, Reason: meterkey.InvalidCredentials, Meters: 1},
		{Name: "websitedown", Means: "The utility's website breaks once the login is submitted.", Kind: "down",
			Status: awaiting, Reason: meterkey.UtilityUnavailable},
		{Name: "websitedown_after", Means: "One meter; when the customer is asked again later, the utility's website breaks.", Kind: "many-1",
			Steps: again("down"), Status: awaiting, Reason: meterkey.UtilityUnavailable, Meters: 1},
		{Name: "utilityerror", Means: "The utility's website shows a page that nobody knows.", Kind: "changed",
			Status: meterkey.Failed, Reason: meterkey.SiteChanged},
	}
}

// routes are the ways through MFA. The manual ones stop where the requester, or a person as the customer, goes on.
func routes() []Scenario {
	const connected, code, choice, off = meterkey.Connected, meterkey.AwaitingCode, meterkey.AwaitingChoice, meterkey.AwaitingMFAOff
	return []Scenario{
		{Name: "number_code", Means: "The utility asks for a number code, and gets it.", Kind: "code", Policy: utilities.Interactive,
			Steps: steps(SignIn, Answer), Status: connected},
		{Name: "number_code_manual", Means: "The utility asks for a number code; it is for you to read it on the practice phone and to post it.",
			Kind: "code", Policy: utilities.Interactive, Status: code},
		{Name: "security_answer", Means: "The utility asks a security question, and gets the answer.", Kind: "question",
			Policy: utilities.Interactive, Steps: steps(SignIn, Answer), Status: connected},
		{Name: "security_answer_manual", Means: "The utility asks a security question; it is for you to look the answer up on the practice phone and to post it.",
			Kind: "question", Policy: utilities.Interactive, Status: code},
		{Name: "method_choice", Means: "The utility asks how to send the code, is told, and gets the code.", Kind: "choice",
			Policy: utilities.Interactive, Steps: steps(SignIn, ChooseMethod, Answer), Status: connected},
		{Name: "method_choice_manual", Means: "The utility asks how to send the code; it is for you to post the id of an option, then the code.",
			Kind: "choice", Policy: utilities.Interactive, Status: choice},
		{Name: "mfa_off", Means: "The utility's codes are not supported: the customer turns them off and signs in again.", Kind: "code",
			Policy: utilities.TurnOff, Steps: steps(SignIn, TurnMFAOff, SignIn), Status: connected},
		{Name: "mfa_off_manual", Means: "The utility's codes are not supported; it is for you to turn them off at the practice site and to sign in again.",
			Kind: "code", Policy: utilities.TurnOff, Status: off, Reason: meterkey.MFAUnsupported},
	}
}

// reasons are named after the reason that each one shows.
func reasons() []Scenario {
	const awaiting, code, failed, interactive = meterkey.AwaitingLogin, meterkey.AwaitingCode, meterkey.Failed, utilities.Interactive
	list := []Scenario{
		{Reason: meterkey.InvalidCredentials, Means: "As badlogin.", Kind: "wrong", Status: awaiting},
		{Reason: meterkey.TooManyLogins, Means: "The utility rejects three logins, of three accounts, and the request ends.", Kind: "wrong",
			Steps: loginsOf("wrong", "wrong.second", "wrong.third"), Status: failed},
		{Reason: meterkey.AccountLocked, Means: "The utility has locked the account.", Kind: "locked", Status: awaiting},
		{Reason: meterkey.PasswordExpired, Means: "The utility wants a new password.", Kind: "expired", Status: awaiting},
		{Reason: meterkey.RegistrationUnfinished, Means: "The customer never finished registering.", Kind: "unfinished", Status: awaiting},
		{Reason: meterkey.Captcha, Means: "The utility wants a proof that a person signs in.", Kind: "captcha", Status: failed},
		{Reason: meterkey.CodeRejected, Means: "A wrong code; it is for you to post the right one while the window lives.", Kind: "code",
			Policy: interactive, Steps: steps(SignIn, AnswerWrongly), Status: code},
		{Reason: meterkey.CodeTimeout, Means: "Nobody types the code: it takes as long as the window lives, ten minutes.", Kind: "code",
			Policy: interactive, Status: awaiting},
		{Reason: meterkey.CodeAttemptsUsed, Means: "Three codes that are not right: one that no worker can open, and two wrong ones.", Kind: "code",
			Policy: interactive, Steps: steps(SignIn, AnswerUnreadably, AnswerWrongly, AnswerWrongly),
			Status: awaiting},
		{Reason: meterkey.WindowClosed, Means: "The customer leaves before the code is typed.", Kind: "code", Policy: interactive,
			Steps: steps(SignIn, Leave), Status: awaiting},
		{Reason: meterkey.WindowLost, Means: "Our machine loses the browser window while the code is awaited.", Kind: "code", Policy: interactive,
			Steps: steps(SignIn, LoseWindow), Status: awaiting},
		{Reason: meterkey.SessionEnded, Means: "The utility ends the session while the code is awaited.", Kind: "ends", Policy: interactive, Status: awaiting},
		{Reason: meterkey.UtilityUnavailable, Means: "As websitedown.", Kind: "down", Status: awaiting},
		{Reason: meterkey.SiteChanged, Means: "As utilityerror.", Kind: "changed", Status: failed},
		{Reason: meterkey.NoMeters, Means: "The account has no meters.", Kind: "none", Status: failed},
		{Reason: meterkey.MFAUnsupported, Means: "As mfa_off_manual.", Kind: "code", Policy: utilities.TurnOff, Status: meterkey.AwaitingMFAOff},
		{Reason: meterkey.Unreadable, Means: "The login is sealed to a recipient that no worker has.", Kind: "plain",
			Steps: steps(SignInUnreadably), Status: awaiting},
		{Reason: meterkey.UnknownUtility, Means: "No worker knows the utility.", Kind: "plain", Utility: unknownUtility, Status: failed},
	}
	for i := range list {
		list[i].Name = string(list[i].Reason)
	}
	return list
}

// steps numbers what the customer does.
func steps(all ...Action) []Step {
	var out []Step
	signIns, answers := 0, 0
	for _, do := range all {
		step := Step{Do: do}
		switch do {
		case SignIn, SignInUnreadably:
			signIns++
			step.Nth = signIns
		case Answer, AnswerWrongly, AnswerUnreadably:
			answers++
			step.Nth = answers
		default: // the rest happens once
		}
		out = append(out, step)
	}
	return out
}

// again is signing in, being asked again once connected, and signing in with an account of another kind.
func again(kind string) []Step {
	return []Step{{Do: SignIn, Nth: 1}, {Do: AskAgain}, {Do: SignIn, Nth: 1, User: kind}}
}

// loginsOf is signing in with one account after the other: the sites themselves lock an account at its third rejected login.
func loginsOf(kinds ...string) []Step {
	var out []Step
	for i, kind := range kinds {
		out = append(out, Step{Do: SignIn, Nth: i + 1, User: kind})
	}
	return out
}

// Names lists the scenarios' names.
func Names() []string {
	var names []string
	for _, s := range Scenarios() {
		names = append(names, s.Name)
	}
	return names
}
