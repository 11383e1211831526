package utilities

// PageKind is what a page turned out to be.
type PageKind string

// The pages a flow knows.
const (
	SignedIn               PageKind = "signed_in"
	LoginForm              PageKind = "login_form"
	CodeForm               PageKind = "code_form"
	ChoiceForm             PageKind = "choice_form"
	QuestionForm           PageKind = "question_form"
	RejectedLogin          PageKind = "rejected_login"
	RejectedCode           PageKind = "rejected_code"
	Locked                 PageKind = "locked"
	Captcha                PageKind = "captcha"
	PasswordExpired        PageKind = "password_expired"
	RegistrationUnfinished PageKind = "registration_unfinished"
	Nag                    PageKind = "nag"
	SessionEnded           PageKind = "session_ended"
	Unavailable            PageKind = "unavailable"
	Unknown                PageKind = "unknown"
)
