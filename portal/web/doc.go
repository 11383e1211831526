// Package web is what the customer's pages and the dashboard share: the page they are drawn on, its style sheet and
// scripts, the headers that keep them safe, and the writer that keeps them live.
package web
