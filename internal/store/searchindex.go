package store

import (
	"context"
	"strings"
	"unicode"

	"github.com/uptrace/bun"
)

// searchTerm is one text whose beginning finds a request.
type searchTerm struct {
	bun.BaseModel `bun:"table:search_index,alias:term"`

	RequestUID   string `bun:"request_uid,pk"`
	Term         string `bun:"term,pk"`
	RequesterUID string
}

const (
	maxTermBytes = 100
	maxTerms     = 8 // of one text
)

// indexRequest keeps what the request can be found by.
func indexRequest(ctx context.Context, tx bun.Tx, r Request) error {
	if err := unindexRequest(ctx, tx, r.UID); err != nil {
		return err
	}
	return insert(ctx, tx, searchTermsOf(r), nil)
}

// searchTermsOf are the rows that find the request.
func searchTermsOf(r Request) []searchTerm {
	var rows []searchTerm
	seen := map[string]bool{}
	for _, text := range []string{r.UID, r.CustomerEmail, r.CustomerName, r.Nickname} {
		for _, term := range terms(text) {
			if !seen[term] {
				seen[term] = true
				rows = append(rows, searchTerm{RequestUID: r.UID, Term: term, RequesterUID: r.RequesterUID})
			}
		}
	}
	return rows
}

func unindexRequest(ctx context.Context, tx bun.Tx, uid string) error {
	_, err := tx.NewDelete().Model((*searchTerm)(nil)).Where("request_uid = ?", uid).Exec(ctx)
	return err
}

// terms are the text from its beginning, from each of its words, and from an e-mail address's domain.
func terms(text string) []string {
	text = normal(text)
	var found []string
	inWord := false
	for i, r := range text {
		starts := !inWord && r != ' '
		inWord = r != ' ' && r != '@'
		if starts && r != '@' && len(found) < maxTerms {
			found = append(found, short(text[i:]))
		}
	}
	return found
}

// normal makes texts comparable: lower case, words one blank apart, no characters that are not to be seen.
func normal(text string) string {
	visible := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r):
			return -1
		}
		return r
	}, strings.ToLower(strings.ToValidUTF8(text, "")))
	return strings.Join(strings.Fields(visible), " ")
}

// short cuts a text to what is kept of a term, between characters.
func short(text string) string {
	if len(text) > maxTermBytes {
		text = strings.ToValidUTF8(text[:maxTermBytes], "")
	}
	return text
}

// beginning narrows a query to the terms that begin so. Nothing sorts after the last character there is.
func beginning(q *bun.SelectQuery, prefix string) *bun.SelectQuery {
	return q.Where("?TableAlias.term >= ?", prefix).Where("?TableAlias.term < ?", prefix+string(unicode.MaxRune))
}
