package meterkey

// ProbedField says whether a field of a utility's file stands on the utility's login page.
type ProbedField struct {
	// Field is the field's path in the file, such as flow.sign_in.steps[0].into.
	Field string `json:"field"`
	// Selector is what was looked for.
	Selector string `json:"selector"`
	Found    bool   `json:"found"`
}
