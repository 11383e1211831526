package meterkey

// Projection is Record's input: the request and its state at one revision.
type Projection struct {
	Request Request `json:"request"`
	RunID   string  `json:"run_id"`
	State   State   `json:"state"`
}
