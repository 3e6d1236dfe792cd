package ui

import (
	"fmt"
	"net/http"
)

// Chooser asks which connection to sign in with.
//
// Ids: login-form is the element around the choices, connection-<id> each
// choice; chooser-unavailable is the line about one that did not answer;
// email-form with the field email and the button email-continue;
// chooser-remember and chooser-all. The choices are links and not buttons of
// a form, because the policy of a page with a form would have to list every
// upstream. The form for the e-mail address is answered by this page again.
type Chooser struct {
	// Client is whom the sign-in is for; may be zero.
	Client Client
	// Connections in the order to show.
	Connections []Connection
	// Unavailable is the name of a connection that was chosen and did not
	// answer; empty for none.
	Unavailable string
	// RememberURL reloads the page with "Remember my choice" switched;
	// Remembering says how it stands now. Empty leaves the switch out.
	RememberURL string
	Remembering bool
	// Email asks for the address that leads to a connection; nil leaves
	// the form out.
	Email *EmailField
	// AllURL leads back to all choices, from a page with the one that an
	// e-mail address led to. Empty leaves the link out.
	AllURL string
	// Locales are the languages that the sign-in asks for, before those of
	// the browser: the ui_locales of its request.
	Locales string
}

// An EmailField posts email=<address> and Hidden.
type EmailField struct {
	// Action receives the form: a path of this origin, http or https.
	Action string
	// Hidden are the fields sent along.
	Hidden map[string]string
	// Value fills the field.
	Value string
	// Unknown says that Value led nowhere.
	Unknown bool
}

// A Connection is one choice.
type Connection struct {
	// ID of the connection: [a-z0-9_-]{1,64}.
	ID string
	// Name that visitors know it by. Default: the ID.
	Name string
	// URL that starts the sign-in there: a path of this origin, http or
	// https.
	URL string
	// LogoURL is a path of this origin. Default: a monogram of the name.
	LogoURL string
	// Down marks a connection that does not answer. It stays a link: what
	// we know may be a minute old.
	Down bool
}

// Monogram stands in for a missing logo.
func (c Connection) Monogram() string { return monogram(c.Name) }

// Chooser writes the page, with status 200.
func (p *Pages) Chooser(w http.ResponseWriter, r *http.Request, v Chooser) {
	text := p.language(r, v.Locales)
	v.Client = v.Client.clean(text)
	named := v.Client.Name != text.UnnamedClient
	v.RememberURL = target(v.RememberURL)
	v.AllURL = target(v.AllURL)
	if v.Email != nil {
		field := *v.Email
		field.Action = target(field.Action)
		field.Value = clean(field.Value, maxAbout)
		v.Email = &field
	}

	connections := make([]Connection, len(v.Connections))
	for i, c := range v.Connections {
		if c.Name = clean(c.Name, maxName); c.Name == "" {
			c.Name = clean(c.ID, maxName)
		}
		c.URL = target(c.URL)
		c.LogoURL = localPath(c.LogoURL)
		connections[i] = c
	}
	v.Connections = connections

	var notice string
	if name := clean(v.Unavailable, maxName); name != "" {
		notice = fmt.Sprintf(text.Unavailable, name)
	}
	title := text.ChooserTitle
	if named {
		title = fmt.Sprintf(text.ChooserTitleFor, v.Client.Name)
	}
	p.render(w, r, "chooser", http.StatusOK, security{hasForm: v.Email != nil}, page{T: text, Heading: title, V: struct {
		Chooser
		Named  bool
		Notice string
	}{v, named, notice}})
}
