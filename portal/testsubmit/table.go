package testsubmit

import (
	"github.com/meterkey/meterkey/utilities"
	"github.com/meterkey/meterkey/workflows"
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
	Steps []workflows.TestStep
	// Status and Reason are where the data request ends up, or waits for the requester.
	Status workflows.Status
	Reason workflows.Reason
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
	const connected, awaiting = workflows.Connected, workflows.AwaitingLogin
	return []Scenario{
		{Name: "residential", Means: "One meter.", Kind: "many-1", Status: connected, Meters: 1},
		{Name: "commercial", Means: "Four meters.", Kind: "many-4", Status: connected, Meters: 4},
		{Name: "badlogin", Means: "The utility rejects the login.", Kind: "wrong", Status: awaiting, Reason: workflows.InvalidCredentials},
		{Name: "badlogin_after", Means: "One meter; when the customer is asked again later, the utility rejects the login.", Kind: "many-1",
			Steps: again("wrong"), Status: awaiting, Reason: workflows.InvalidCredentials, Meters: 1},
		{Name: "websitedown", Means: "The utility's website breaks once the login is submitted.", Kind: "down",
			Status: awaiting, Reason: workflows.UtilityUnavailable},
		{Name: "websitedown_after", Means: "One meter; when the customer is asked again later, the utility's website breaks.", Kind: "many-1",
			Steps: again("down"), Status: awaiting, Reason: workflows.UtilityUnavailable, Meters: 1},
		{Name: "utilityerror", Means: "The utility's website shows a page that nobody knows.", Kind: "changed",
			Status: workflows.Failed, Reason: workflows.SiteChanged},
	}
}

// routes are the ways through MFA. The manual ones stop where the requester, or a person as the customer, goes on.
func routes() []Scenario {
	const connected, code, choice, off = workflows.Connected, workflows.AwaitingCode, workflows.AwaitingChoice, workflows.AwaitingMFAOff
	return []Scenario{
		{Name: "number_code", Means: "The utility asks for a number code, and gets it.", Kind: "code", Policy: utilities.Interactive,
			Steps: steps(workflows.TestSignIn, workflows.TestAnswer), Status: connected},
		{Name: "number_code_manual", Means: "The utility asks for a number code; it is for you to read it on the practice phone and to post it.",
			Kind: "code", Policy: utilities.Interactive, Status: code},
		{Name: "security_answer", Means: "The utility asks a security question, and gets the answer.", Kind: "question",
			Policy: utilities.Interactive, Steps: steps(workflows.TestSignIn, workflows.TestAnswer), Status: connected},
		{Name: "security_answer_manual", Means: "The utility asks a security question; it is for you to look the answer up on the practice phone and to post it.",
			Kind: "question", Policy: utilities.Interactive, Status: code},
		{Name: "method_choice", Means: "The utility asks how to send the code, is told, and gets the code.", Kind: "choice",
			Policy: utilities.Interactive, Steps: steps(workflows.TestSignIn, workflows.TestChooseMethod, workflows.TestAnswer), Status: connected},
		{Name: "method_choice_manual", Means: "The utility asks how to send the code; it is for you to post the id of an option, then the code.",
			Kind: "choice", Policy: utilities.Interactive, Status: choice},
		{Name: "mfa_off", Means: "The utility's codes are not supported: the customer turns them off and signs in again.", Kind: "code",
			Policy: utilities.TurnOff, Steps: steps(workflows.TestSignIn, workflows.TestTurnMFAOff, workflows.TestSignIn), Status: connected},
		{Name: "mfa_off_manual", Means: "The utility's codes are not supported; it is for you to turn them off at the practice site and to sign in again.",
			Kind: "code", Policy: utilities.TurnOff, Status: off, Reason: workflows.MFAUnsupported},
	}
}

// reasons are named after the reason that each one shows.
func reasons() []Scenario {
	const awaiting, code, failed, interactive = workflows.AwaitingLogin, workflows.AwaitingCode, workflows.Failed, utilities.Interactive
	list := []Scenario{
		{Reason: workflows.InvalidCredentials, Means: "As badlogin.", Kind: "wrong", Status: awaiting},
		{Reason: workflows.TooManyLogins, Means: "The utility rejects three logins, of three accounts, and the request ends.", Kind: "wrong",
			Steps: loginsOf("wrong", "wrong.second", "wrong.third"), Status: failed},
		{Reason: workflows.AccountLocked, Means: "The utility has locked the account.", Kind: "locked", Status: awaiting},
		{Reason: workflows.PasswordExpired, Means: "The utility wants a new password.", Kind: "expired", Status: awaiting},
		{Reason: workflows.RegistrationUnfinished, Means: "The customer never finished registering.", Kind: "unfinished", Status: awaiting},
		{Reason: workflows.Captcha, Means: "The utility wants a proof that a person signs in.", Kind: "captcha", Status: failed},
		{Reason: workflows.CodeRejected, Means: "A wrong code; it is for you to post the right one while the window lives.", Kind: "code",
			Policy: interactive, Steps: steps(workflows.TestSignIn, workflows.TestAnswerWrongly), Status: code},
		{Reason: workflows.CodeTimeout, Means: "Nobody types the code: it takes as long as the window lives, ten minutes.", Kind: "code",
			Policy: interactive, Status: awaiting},
		{Reason: workflows.CodeAttemptsUsed, Means: "Three codes that are not right: one that no worker can open, and two wrong ones.", Kind: "code",
			Policy: interactive, Steps: steps(workflows.TestSignIn, workflows.TestAnswerUnreadably, workflows.TestAnswerWrongly, workflows.TestAnswerWrongly),
			Status: awaiting},
		{Reason: workflows.WindowClosed, Means: "The customer leaves before the code is typed.", Kind: "code", Policy: interactive,
			Steps: steps(workflows.TestSignIn, workflows.TestLeave), Status: awaiting},
		{Reason: workflows.WindowLost, Means: "Our machine loses the browser window while the code is awaited.", Kind: "code", Policy: interactive,
			Steps: steps(workflows.TestSignIn, workflows.TestLoseWindow), Status: awaiting},
		{Reason: workflows.SessionEnded, Means: "The utility ends the session while the code is awaited.", Kind: "ends", Policy: interactive, Status: awaiting},
		{Reason: workflows.UtilityUnavailable, Means: "As websitedown.", Kind: "down", Status: awaiting},
		{Reason: workflows.SiteChanged, Means: "As utilityerror.", Kind: "changed", Status: failed},
		{Reason: workflows.NoMeters, Means: "The account has no meters.", Kind: "none", Status: failed},
		{Reason: workflows.MFAUnsupported, Means: "As mfa_off_manual.", Kind: "code", Policy: utilities.TurnOff, Status: workflows.AwaitingMFAOff},
		{Reason: workflows.Unreadable, Means: "The login is sealed to a recipient that no worker has.", Kind: "plain",
			Steps: steps(workflows.TestSignInUnreadably), Status: awaiting},
		{Reason: workflows.UnknownUtility, Means: "No worker knows the utility.", Kind: "plain", Utility: unknownUtility, Status: failed},
	}
	for i := range list {
		list[i].Name = string(list[i].Reason)
	}
	return list
}

// steps numbers what the customer does.
func steps(all ...workflows.TestAction) []workflows.TestStep {
	var out []workflows.TestStep
	signIns, answers := 0, 0
	for _, do := range all {
		step := workflows.TestStep{Do: do}
		switch do {
		case workflows.TestSignIn, workflows.TestSignInUnreadably:
			signIns++
			step.Nth = signIns
		case workflows.TestAnswer, workflows.TestAnswerWrongly, workflows.TestAnswerUnreadably:
			answers++
			step.Nth = answers
		default: // the rest happens once
		}
		out = append(out, step)
	}
	return out
}

// again is signing in, being asked again once connected, and signing in with an account of another kind.
func again(kind string) []workflows.TestStep {
	return []workflows.TestStep{{Do: workflows.TestSignIn, Nth: 1}, {Do: workflows.TestAskAgain}, {Do: workflows.TestSignIn, Nth: 1, User: kind}}
}

// loginsOf is signing in with one account after the other: the sites themselves lock an account at its third rejected login.
func loginsOf(kinds ...string) []workflows.TestStep {
	var out []workflows.TestStep
	for i, kind := range kinds {
		out = append(out, workflows.TestStep{Do: workflows.TestSignIn, Nth: i + 1, User: kind})
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
