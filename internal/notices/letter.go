package notices

import (
	"bytes"
	"embed"
	"fmt"

	"github.com/meterkey/meterkey"

	htmltemplate "html/template"
	"net/url"
	"path"
	"regexp"
	"strings"
	"text/template"
)

//go:embed templates
var files embed.FS

// letter is a notice in words.
type letter struct{ Subject, Text, HTML string }

// letters holds the templates of every kind and audience.
type letters struct {
	scripts map[string]script
	text    *template.Template
	html    *htmltemplate.Template
}

// script is one template file: paragraphs between empty lines, the first of which is the subject. A paragraph of the
// form [label](address) is a button. One that comes out empty is left out.
type script []paragraph

// paragraph is split from its neighbours before anything is filled in, so that no fact can add a paragraph or a button.
type paragraph struct{ text, address *template.Template }

// block is a paragraph filled in; with an Address it is a button.
type block struct{ Text, Address string }

// Host shows people where a button leads before they press it.
func (b block) Host() string {
	u, err := url.Parse(b.Address)
	if err != nil {
		return b.Address
	}
	return u.Host
}

var button = regexp.MustCompile(`(?s)^\[(.+)\]\((.+)\)$`)

func parseLetters() (letters, error) {
	l := letters{scripts: make(map[string]script)}
	var err error
	if l.text, err = template.ParseFS(files, "templates/layout.txt"); err != nil {
		return l, err
	}
	if l.html, err = htmltemplate.ParseFS(files, "templates/layout.html"); err != nil {
		return l, err
	}
	for _, audience := range []meterkey.Audience{meterkey.ToCustomer, meterkey.ToRequester} {
		entries, err := files.ReadDir(path.Join("templates", string(audience)))
		if err != nil {
			return l, err
		}
		for _, entry := range entries {
			name := path.Join("templates", string(audience), entry.Name())
			if l.scripts[name], err = parseScript(name); err != nil {
				return l, err
			}
		}
	}
	return l, nil
}

func parseScript(name string) (script, error) {
	source, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var s script
	for part := range strings.SplitSeq(strings.TrimSpace(string(source)), "\n\n") {
		p, err := parseParagraph(name, line(part))
		if err != nil {
			return nil, err
		}
		s = append(s, p)
	}
	return s, nil
}

func parseParagraph(name, source string) (paragraph, error) {
	var p paragraph
	var err error
	if b := button.FindStringSubmatch(source); b != nil {
		source = b[1]
		if p.address, err = template.New(name).Parse(b[2]); err != nil {
			return p, err
		}
	}
	p.text, err = template.New(name).Parse(source)
	return p, err
}

// write writes a notice. The error tells of a kind that has no template for its audience.
func (l letters) write(n meterkey.Notice, f facts) (letter, error) {
	s, ok := l.scripts[path.Join("templates", string(n.To), string(n.Kind)+".txt")]
	if !ok {
		return letter{}, fmt.Errorf("no template for %q to %q", n.Kind, n.To)
	}
	blocks, err := s.fill(f)
	if err != nil {
		return letter{}, err
	}
	sheet := struct {
		facts
		Subject    string
		Blocks     []block
		ToCustomer bool
	}{f, blocks[0].Text, blocks[1:], n.To == meterkey.ToCustomer}
	var text, html bytes.Buffer
	if err := l.text.Execute(&text, sheet); err != nil {
		return letter{}, err
	}
	if err := l.html.Execute(&html, sheet); err != nil {
		return letter{}, err
	}
	return letter{Subject: sheet.Subject, Text: text.String(), HTML: html.String()}, nil
}

func (s script) fill(f facts) ([]block, error) {
	var blocks []block
	for _, p := range s {
		b, err := p.fill(f)
		if err != nil {
			return nil, err
		}
		if b.Text != "" {
			blocks = append(blocks, b)
		}
	}
	return blocks, nil
}

// fill fills a paragraph in. A button without an address is no button: it comes out empty.
func (p paragraph) fill(f facts) (block, error) {
	var text, address strings.Builder
	if err := p.text.Execute(&text, f); err != nil {
		return block{}, err
	}
	if p.address == nil {
		return block{Text: line(text.String())}, nil
	}
	if err := p.address.Execute(&address, f); err != nil || address.Len() == 0 {
		return block{}, err
	}
	return block{Text: line(text.String()), Address: address.String()}, nil
}
