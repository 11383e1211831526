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

// Sight is what a visit saw after an act.
type Sight struct {
	Page      PageKind
	Challenge *Challenge // what the site asks, on code_form, question_form, choice_form and rejected_code
	Typed     bool       // whether the password has been typed by this visit
	Evidence  *Evidence  // on unknown, and wherever the page's own words were not recognised
}

// Challenge is what the site asks of the customer.
type Challenge struct {
	Kind         ChallengeKind
	Prompt       string   // the site's own words, personal data masked
	SentTo       string   // where the code went, masked, for example (***) ***-1234
	Options      []Option // for MethodChoice
	Digits       int      // how many digits the code has; 0 when not known
	Tries        int      // how often a code may be tried
	CanSendAgain bool     // whether the page offers to send the code again
}

// Option is one way by which the site can send its code.
type Option struct {
	ID     string // stable as long as the page stands
	Label  string // the site's own words, personal data masked
	Target string // where the code would go, masked
}

// Evidence is what an operator needs to mend a utility's file after its site changed. It holds no input values.
type Evidence struct {
	URL        string // without query and fragment
	Screenshot []byte // PNG, every input masked; nil when none could be taken
	Outline    string // headings, fields and buttons of the page, one a line
}

// Meter is one line of a meter list. A field the site does not show is empty and absent from JSON.
type Meter struct {
	AccountNumber     string `json:"account_number,omitempty"`
	MeterNumber       string `json:"meter_number,omitempty"`
	ServiceIdentifier string `json:"service_identifier,omitempty"`
	ServiceAddress    string `json:"service_address,omitempty"`
	ServiceClass      string `json:"service_class,omitempty"` // electric, gas or water
	Tariff            string `json:"tariff,omitempty"`
	Status            string `json:"status,omitempty"`
}

// FieldFound says whether one of a file's login fields stands on the login page.
type FieldFound struct {
	Field    string // dotted path in the file
	Selector string // what was looked for
	Found    bool
}
