package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/meterkey/meterkey"
	"github.com/meterkey/meterkey/internal/config"
	"github.com/meterkey/meterkey/utilities"
)

// utilityFacts is what is known of a utility, for machines.
type utilityFacts struct {
	ID             string                   `json:"id"`
	Name           string                   `json:"name"`
	Aliases        []string                 `json:"aliases"`
	Website        string                   `json:"website"`
	MFAPolicy      utilities.Policy         `json:"mfa_policy"`
	MFAKinds       []meterkey.ChallengeKind `json:"mfa_kinds"`
	MFAConfirmed   string                   `json:"mfa_confirmed"`
	MFASource      string                   `json:"mfa_source"`
	FAQ            string                   `json:"faq,omitempty"`
	WindowLifetime string                   `json:"window_lifetime"`
	Unverified     []string                 `json:"unverified"`
	File           string                   `json:"file"`
}

func factsOf(u *utilities.Utility) utilityFacts {
	return utilityFacts{
		ID:             u.ID,
		Name:           u.Name,
		Aliases:        append([]string{}, u.Aliases...),
		Website:        u.Website,
		MFAPolicy:      u.MFA.Policy,
		MFAKinds:       append([]meterkey.ChallengeKind{}, u.MFA.Kinds...),
		MFAConfirmed:   u.MFA.Confirmed,
		MFASource:      u.MFA.Source,
		FAQ:            u.MFA.FAQ,
		WindowLifetime: u.WindowLifetime.String(),
		Unverified:     append([]string{}, u.Unverified...),
		File:           u.File,
	}
}

type utilitiesCmd struct {
	Utility string `arg:"" optional:"" help:"Show what is known of this one."`
}

// Help is the command's longer help.
func (utilitiesCmd) Help() string {
	return `Lists the utilities with what is known of their second factor, since when, and how many fields of their file no source
confirms. With a utility, shows all that is known of it. MK_UTILITIES_DIR names a folder of further files.

  starter utilities
  starter utilities CONED
  starter utilities -o json | jq -r '.[] | select(.mfa_policy == "turn_off") | .id'`
}

// Run lists the utilities or shows one.
func (c *utilitiesCmd) Run(a *app) error {
	if c.Utility != "" {
		u, err := findUtility(c.Utility)
		if err != nil {
			return err
		}
		a.showUtility(factsOf(u))
		return nil
	}
	known, err := catalog()
	if err != nil {
		return err
	}
	all := []utilityFacts{}
	for _, u := range known.All() {
		all = append(all, factsOf(u))
	}
	a.showUtilities(all)
	return nil
}

func (a *app) showUtilities(all []utilityFacts) {
	if a.json {
		a.out.json(all)
		return
	}
	rows := make([][]string, len(all))
	for i, u := range all {
		rows[i] = []string{u.ID, u.Name, string(u.MFAPolicy), kinds(u), u.MFAConfirmed, fmt.Sprint(len(u.Unverified))}
	}
	a.out.table([]string{"ID", "NAME", "MFA", "ASKS FOR", "CONFIRMED", "UNVERIFIED"}, rows)
}

func (a *app) showUtility(u utilityFacts) {
	if a.json {
		a.out.json(u)
		return
	}
	a.out.facts(
		[2]string{"id", a.out.in(bold, u.ID)},
		[2]string{"name", u.Name},
		[2]string{"also", strings.Join(u.Aliases, ", ")},
		[2]string{"website", u.Website},
		[2]string{"mfa", string(u.MFAPolicy)},
		[2]string{"asks for", kinds(u)},
		[2]string{"confirmed", u.MFAConfirmed},
		[2]string{"source", oneLine(u.MFASource)},
		[2]string{"turn it off", u.FAQ},
		[2]string{"window", u.WindowLifetime},
		[2]string{"file", u.File},
		[2]string{"unverified", count(len(u.Unverified), "field")},
	)
	for _, field := range u.Unverified {
		a.out.linef("  %s", a.out.in(yellow, field))
	}
}

func kinds(u utilityFacts) string {
	names := make([]string, len(u.MFAKinds))
	for i, k := range u.MFAKinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

type checkCmd struct {
	File string `arg:"" help:"The utility file, in YAML."`
}

// Help is the command's longer help.
func (checkCmd) Help() string {
	return `Checks a utility file against the schema and for what the schema cannot say. Prints ok, or where and what each mistake is.

  starter check my-utility.yaml
  starter check utilities/coned.yaml -o json`
}

// Run checks the file.
func (c *checkCmd) Run(a *app) error {
	data, err := os.ReadFile(c.File)
	if err != nil {
		return badInput(fmt.Sprintf("reading the utility file: %s", err), "starter check FILE")
	}
	u, err := utilities.ParseFile(c.File, data)
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			a.side.linef("%s", strings.TrimRight(line, "\n"))
		}
		return &failure{code: exitUsage}
	}
	if a.json {
		a.out.json(factsOf(u))
		return nil
	}
	a.out.linef("%s: %s: %s, %s unverified", c.File, a.out.in(green, "ok"), u.ID, count(len(u.Unverified), "field"))
	return nil
}

type recipientCmd struct{}

// Help is the command's longer help.
func (recipientCmd) Help() string {
	return `Prints the workers' age recipient. Backends seal logins and codes to it before they send them; docs/contract.md tells how.

  starter recipient
  printf %s "$CODE" | age -r "$(starter recipient)" | base64 -w0`
}

// Run prints the recipient.
func (recipientCmd) Run(a *app) error {
	settings, err := config.Load(nil)
	if err != nil {
		return badInput(err.Error(), "docs/configuration.md lists the settings")
	}
	recipient, err := settings.Recipient()
	if err != nil {
		return badInput(err.Error(), "MK_RECIPIENT names the workers' recipient or its file")
	}
	if a.json {
		a.out.json(map[string]string{"recipient": recipient})
		return nil
	}
	a.out.linef("%s", recipient)
	return nil
}
