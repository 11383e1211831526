// Package sealed keeps the workers' age identity, the only thing that opens logins and codes.
//
// Whoever types a secret seals it to the identity's recipient (meterkey.Seal); it is opened in the activity that types
// it into the utility's site, and nowhere else. No error of this package holds any part of what was sealed.
package sealed
