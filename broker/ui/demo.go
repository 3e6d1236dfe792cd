package ui

import (
	"fmt"
	"net/http"
)

// DemoStart is the front page of the demo application: what to ask for.
//
// Ids: demo-form, demo-scope-<name>, demo-options, demo-prompt,
// demo-login-hint, demo-acr-values, demo-purpose, demo-start; demo-signed-out
// is the note that the demo has been left, demo-back leads back to what a
// sign-in brought. The form is a GET with scope=<name> for each box that is
// ticked, prompt, login_hint, acr_values and purpose, each maybe empty.
type DemoStart struct {
	// Action receives the form: a path of this origin, http or https.
	Action string
	// Scopes to choose from, in the order to show.
	Scopes []DemoScope

	// What the other fields hold to begin with.
	Prompt    string
	LoginHint string
	ACRValues string
	Purpose   string

	// SignedOut says that the visitor has just left the demo.
	SignedOut bool
	// BackURL leads back to the tokens; empty for somebody without.
	BackURL string
}

// A DemoScope is one scope that the demo can ask for.
type DemoScope struct {
	// Name is the protocol's. DisplayName and Description are what people
	// read, as for a Scope.
	Name        string
	DisplayName string
	Description string
	// Fixed scopes are always asked for, Checked ones unless unticked.
	Fixed   bool
	Checked bool
}

// DemoPrompts are the values of the parameter prompt that the demo offers;
// the empty one leaves it out.
func DemoPrompts() []string { return []string{"", "none", "login", "consent", "select_account"} }

// DemoStart writes the page, with status 200.
func (p *Pages) DemoStart(w http.ResponseWriter, r *http.Request, v DemoStart) {
	text := p.language(r, "")
	v.Action, v.BackURL = target(v.Action), target(v.BackURL)
	v.LoginHint, v.ACRValues = clean(v.LoginHint, maxAbout), clean(v.ACRValues, maxAbout)
	v.Purpose = clean(v.Purpose, maxAbout)
	scopes := make([]DemoScope, len(v.Scopes))
	for i, s := range v.Scopes {
		scopes[i] = s.clean(text)
	}
	v.Scopes = scopes
	type option struct {
		Value, Label string
		Selected     bool
	}
	prompts := make([]option, 0, len(DemoPrompts()))
	for _, value := range DemoPrompts() {
		prompts = append(prompts, option{value, text.Demo.Prompts[value], value == v.Prompt})
	}
	p.render(w, r, "demo_start", http.StatusOK, security{hasForm: true, isolated: true}, page{T: text, Heading: text.Demo.Name, V: struct {
		DemoStart
		Prompts []option
		Opened  bool // the options that are folded away, because something is chosen there
	}{v, prompts, v.Prompt+v.LoginHint+v.ACRValues+v.Purpose != ""}})
}

// Named says whether the protocol's name says more than the other one.
func (s DemoScope) Named() bool { return s.DisplayName != clean(s.Name, maxName) }

// Told says whether there is anything to say beside the name.
func (s DemoScope) Told() bool { return s.Named() || s.Description != "" }

// clean returns the scope as templates may see it.
func (s DemoScope) clean(t *catalogue) DemoScope {
	s.DisplayName = clean(t.translate(s.DisplayName), maxName)
	s.Description = clean(t.translate(s.Description), maxAbout)
	if s.DisplayName == "" {
		s.DisplayName = clean(s.Name, maxName)
	}
	return s
}

// DemoForward sends the browser on to a sign-in, from the answer to a form.
//
// It is a page and no redirect, because browsers hold a form to the policy of
// its page along all redirects, and that would have to name every provider.
//
// Id: demo-continue, for browsers that do not go on by themselves.
type DemoForward struct {
	// URL is where to: a path of this origin, http or https.
	URL string
}

// DemoForward writes the page, with status 200.
func (p *Pages) DemoForward(w http.ResponseWriter, r *http.Request, v DemoForward) {
	text := p.language(r, "")
	if v.URL = target(v.URL); v.URL != "" {
		w.Header().Set("Refresh", fmt.Sprintf("0; url=%s", v.URL))
	}
	p.render(w, r, "demo_forward", http.StatusOK, security{}, page{T: text, Heading: text.Demo.ForwardTitle, V: v})
}
