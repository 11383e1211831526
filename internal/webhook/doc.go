// Package webhook is what a webhook's receiver sees of us: the body, its signature, and where it may go. Starter has
// deliveries made, by a workflow each.
//
// The shapes are those of UtilityAPI's webhooks, so that receivers written for them work. docs/webhooks.md teaches the
// rest: events, retries, re-delivery.
package webhook
