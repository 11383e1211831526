package utilities

import (
	"regexp"
	"time"
)

// Flow is how to get from the login page to the meters, in the words of a utility's file.
type Flow struct {
	RenderWait time.Duration       `yaml:"render_wait"` // how long a page may take to show what it is
	Settle     time.Duration       `yaml:"settle"`      // how long a page must stay as it is before doubtful evidence counts
	SignIn     SignIn              `yaml:"sign_in"`
	Answers    map[string]Answer   `yaml:"answers"` // the site's own JSON answers worth reading, by name
	Pages      map[PageKind][]Mark `yaml:"pages"`   // any one mark is enough; those of every site are added
	NoAccounts []Mark              `yaml:"-"`       // how any site may say that there are no accounts
	Nags       []Dismissal         `yaml:"nags"`
	Choice     *Choice             `yaml:"choice"`
	Code       *Entry              `yaml:"code"`
	Question   *Entry              `yaml:"question"` // what differs from code; absent when nothing does
	Meters     MeterList           `yaml:"meters"`
}

// SignIn is the way to the end of the login form.
type SignIn struct {
	Open  string `yaml:"open"`
	Steps []Step `yaml:"steps"`
}

// Step is one act on the way: typing the user name or the password into something, or pressing something.
type Step struct {
	Type  string `yaml:"type"` // username or password
	Into  Target `yaml:"into"`
	Press Target `yaml:"press"`
}

// Target is what is typed into or pressed.
func (s Step) Target() Target {
	if s.Type != "" {
		return s.Into
	}
	return s.Press
}

// Answer is one of the site's own JSON answers, told by its address.
type Answer struct {
	URL Pattern `yaml:"url"` // looked for in the address
}

// Mark is a sign by which a page is recognised. Everything it names must hold.
type Mark struct {
	URL     Pattern              `yaml:"url"`     // looked for in the page's address
	Visible Target               `yaml:"visible"` // shows
	Hidden  Target               `yaml:"hidden"`  // does not show
	Text    Texts                `yaml:"text"`    // any of these stands on the page, whatever the case
	Answer  string               `yaml:"answer"`  // a JSON answer came since the latest act
	Status  int                  `yaml:"status"`  // that answer's HTTP status
	Where   map[string]Condition `yaml:"where"`   // that answer's values, by path
}

// Texts is one text or several of which any will do.
type Texts []string

// UnmarshalYAML accepts one text or a list.
func (t *Texts) UnmarshalYAML(decode func(any) error) error {
	var one string
	if err := decode(&one); err == nil {
		*t = Texts{one}
		return nil
	}
	return decode((*[]string)(t))
}

// Dismissal is a page or overlay in the way, and what to press to be rid of it.
type Dismissal struct {
	When  *Mark  `yaml:"when"` // absent: whenever what is to be pressed shows
	Press Target `yaml:"press"`
}

// Choice is the page on which the customer chooses how to get the code.
type Choice struct {
	Options Target            `yaml:"options"` // one element each: a radio button, a button or a link
	Targets map[string]Target `yaml:"targets"` // where the masked address or number stands, by the option's value
	Submit  Target            `yaml:"submit"`  // absent: choosing is enough
}

// Entry is a form into which a code or a security answer is typed.
type Entry struct {
	Field      Target       `yaml:"field"`  // absent: the field that asks for a one-time code
	Submit     Target       `yaml:"submit"` // absent: the form submits itself at the last digit
	Digits     int          `yaml:"digits"`
	Tries      int          `yaml:"tries"`
	Prompt     Target       `yaml:"prompt"`
	PromptFrom *AnswerValue `yaml:"prompt_from"`
	SentTo     Target       `yaml:"sent_to"`
	SendAgain  Target       `yaml:"send_again"`
}

// AnswerValue is a value in one of the site's JSON answers.
type AnswerValue struct {
	Name string `yaml:"answer"`
	Path string `yaml:"path"`
}

// MeterList is how the meters are read: each step adds to what the one before it found, the fields say what of it is ours.
type MeterList struct {
	Read   []Reading        `yaml:"read"`
	Fields map[string]Texts `yaml:"fields"` // our field to texts with {name.path} in them, of which the first that is not empty counts
}

// Placeholder is a {name} or {name.path} in a text of a utility's file; its group is what stands in the brackets.
var Placeholder = regexp.MustCompile(`\{([^{}]+)\}`)

// Reading is one step of reading: open a page, press something, pick each account in turn, read rows, fetch JSON, or go through a list
// found before.
type Reading struct {
	Open     string            `yaml:"open"`
	Press    Target            `yaml:"press"`
	Pick     *Pick             `yaml:"pick"`
	Rows     Target            `yaml:"rows"`
	Columns  map[string]Column `yaml:"columns"` // of rows, or of what is picked
	Next     Target            `yaml:"next"`    // the next page of rows, or more of them
	None     []Mark            `yaml:"none"`    // how the page says that there are none
	Fetch    string            `yaml:"fetch"`
	Post     map[string]any    `yaml:"post"`      // sent as JSON; absent: the address is read with GET
	Bearer   string            `yaml:"bearer"`    // a token, usually {name.path}
	Items    string            `yaml:"items"`     // path to the list; absent: the answer as a whole
	PageSize int               `yaml:"page_size"` // {page} and {offset} in the address count on until a page is empty
	BearerOf string            `yaml:"bearer_of"` // or the token that the page itself sends for this one of flow.answers
	Each     string            `yaml:"each"`      // name.path of a list found before
	As       string            `yaml:"as"`
	Unless   string            `yaml:"unless"` // {name.path}: the step is left out where that was found
	Optional bool              `yaml:"optional"`
	After    Target            `yaml:"after"` // what shows once the page is complete: then an optional step is missing for good
}

// Pick is an account picker.
type Pick struct {
	List    Target `yaml:"list"`    // pressed first to make the options show
	Options Target `yaml:"options"` // one element for each account
	Submit  Target `yaml:"submit"`
}

// Column is where a row holds a value.
type Column struct {
	CSS    string  `yaml:"css"`    // within the row; absent with header: the row itself
	Header string  `yaml:"header"` // or the column under this heading
	Attr   string  `yaml:"attr"`   // an attribute instead of the text
	Match  Pattern `yaml:"match"`  // its first group, or all of it, is the value
}

// UnmarshalYAML accepts a selector or the full form.
func (c *Column) UnmarshalYAML(decode func(any) error) error {
	if err := decode(&c.CSS); err == nil {
		return nil
	}
	type full Column
	return decode((*full)(c))
}

// Value takes from a text the part that Match finds; a text in which it finds nothing is no value.
func (c Column) Value(text string) string {
	if !c.Match.Given() {
		return text
	}
	found := c.Match.FindStringSubmatch(text)
	if len(found) == 0 {
		return ""
	}
	return found[min(1, len(found)-1)]
}
