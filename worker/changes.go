package main

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// changes are those of the workflow (workflow.GetVersion) that this release can follow and does not begin yet, each with
// the version that it goes on to record. The next release takes them off the list. docs/upgrading.md says why.
var changes = map[string]workflow.Version{}

// preferredVersion answers GetVersion where a run meets a change for the first time: the version in the list, or the newest.
func preferredVersion(listed map[string]workflow.Version) worker.PreferredVersionProvider {
	return func(met worker.PreferredVersionProviderInput) *worker.VersionPreference {
		if version, ok := listed[met.ChangeID]; ok {
			return &worker.VersionPreference{Version: version}
		}
		return nil
	}
}
