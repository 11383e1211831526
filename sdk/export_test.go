package sdk

import "time"

// Patiently is the client for a machine so busy that its workers take long to answer.
func (c *Client) Patiently() *Client {
	patient := *c
	patient.updateTimeout = time.Minute
	return &patient
}
