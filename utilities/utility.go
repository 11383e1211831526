// Package utilities holds what Meterkey knows of each utility.
//
// One YAML file describes one utility: who it is, how it asks for codes, and its flow: where to sign in, which fields to type
// into, what to press and how to recognise each page that may follow. A Catalog loads and checks the files; package flow follows
// one of them through a browser page. docs/utilities.md teaches writing a file.
package utilities

import (
	"time"

	"github.com/meterkey/meterkey"
)

// Policy says what is done when a utility asks for a second factor.
type Policy string

const (
	// Interactive means that the customer types the code while the browser window stays open.
	Interactive Policy = "interactive"
	// TurnOff means that the customer has to turn the second factor off for the time of the data request.
	TurnOff Policy = "turn_off"
)

// Utility is one utility as its file describes it.
type Utility struct {
	ID             string        `yaml:"id"`              // upper case, for example CONED
	Name           string        `yaml:"name"`            // for people, for example Consolidated Edison
	Aliases        []string      `yaml:"aliases"`         // other names Find understands
	Website        string        `yaml:"website"`         // the utility's own address
	MFA            MFA           `yaml:"mfa"`             // what is known of its second factor
	WindowLifetime time.Duration `yaml:"window_lifetime"` // how long a browser window may wait for the customer
	Unverified     []string      `yaml:"unverified"`      // dotted paths of the fields that no source confirms
	Flow           Flow          `yaml:"flow"`            // how to get from the login page to the meters
	File           string        `yaml:"-"`               // the file it was read from

	lines map[string]int // where its own fields stand in the file
}

// MFA is what is known of a utility's second factor, and since when.
type MFA struct {
	Policy    Policy                   `yaml:"policy"`
	Kinds     []meterkey.ChallengeKind `yaml:"kinds"`
	Confirmed string                   `yaml:"confirmed"` // date, as in 2026-11-23
	Source    string                   `yaml:"source"`    // who says so
	FAQ       string                   `yaml:"faq"`       // the utility's own page on turning it off
}
