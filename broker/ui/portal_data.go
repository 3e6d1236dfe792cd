package ui

import (
	"fmt"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
)

// A Datum is one value that is known about the visitor.
type Datum struct {
	// Name is the place in the context, such as address.country. Label is
	// what people read, that of the default places in the page's language.
	// Without a Label the Name is shown.
	Name  string
	Label string

	// Value as in package encoding/json, numbers as json.Number, or a
	// time.Time.
	Value any

	Origin Origin
}

// An Origin is where a value comes from. The zero value says nothing.
type Origin struct {
	Kind authn.OriginKind

	// Of what comes from upstream: the connection's name for people, the
	// document, "id_token" for example, and the path in it.
	Connection string
	Document   string
	Path       string
}

// A dataLine is a datum as the template sees it.
type dataLine struct {
	Label string
	readable
	From string // in words
	Path string // for those who know their way about, behind the words
}

func (c *catalogue) dataLines(data []Datum) (lines []dataLine) {
	for _, d := range data {
		line := dataLine{Label: clean(c.translate(d.Label), maxName), readable: c.readable(d.Value)}
		if line.Label == "" {
			line.Label = clean(d.Name, maxName)
		}
		line.From, line.Path = c.origin(d.Origin)
		lines = append(lines, line)
	}
	return lines
}

func (c *catalogue) origin(o Origin) (words, path string) {
	words = c.Portal.Origins[o.Kind]
	if o.Kind != authn.FromProvider {
		return words, ""
	}
	connection := clean(o.Connection, maxName)
	if o.Path == "" {
		return fmt.Sprintf(words, connection), ""
	}
	document, known := c.Portal.Documents[o.Document]
	if !known {
		document = clean(o.Document, maxName)
	}
	return fmt.Sprintf(c.Portal.OriginDocument, connection, document), clean(o.Path, maxAbout)
}

// A signInLine is a sign-in as the template sees it.
type signInLine struct {
	Connection string
	Time       moment
	Methods    string
}

func (c *catalogue) signIn(s SignIn) signInLine {
	methods := make([]string, 0, len(s.Methods))
	for _, m := range s.Methods {
		words, known := c.Portal.Methods[m]
		if !known {
			words = clean(m, maxName)
		}
		methods = append(methods, words)
	}
	return signInLine{
		Connection: clean(s.Connection, maxName), Time: newMoment(s.Time, c.Portal.MinuteLayout),
		Methods: strings.Join(methods[:min(len(methods), maxItems)], ", "),
	}
}
