package ui

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

func chooserDoc(t *testing.T, v Chooser) *html.Node {
	t.Helper()
	p := newPages(t)
	w := serve("GET", func(w http.ResponseWriter, r *http.Request) { p.Chooser(w, r, v) })
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	return parse(t, w.Body.String())
}

func TestM86_Chooser(t *testing.T) {
	doc := chooserDoc(t, fullChooser())

	t.Run("shows each connection as a link, in the given order", func(t *testing.T) {
		var got []string
		for _, a := range elements(mustID(t, doc, "login-form"), "a") {
			got = append(got, attr(a, "id")+" "+attr(a, "href"))
		}
		want := []string{
			"connection-acme /oauth2/login?connection=acme",
			"connection-partner https://auth.example.com/oauth2/login?connection=partner",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
	t.Run("marks the one that is down and keeps it", func(t *testing.T) {
		if got := text(mustID(t, doc, "connection-partner")); got != "PPartners Not answering at the moment" {
			t.Errorf("text = %q", got)
		}
		if got := text(mustID(t, doc, "connection-acme")); got != "Acme staff" {
			t.Errorf("text = %q", got)
		}
	})
	t.Run("says whom the sign-in is for", func(t *testing.T) {
		if got := text(elements(doc, "title")[0]); got != "Sign in to Grafana – Example Corp" {
			t.Errorf("title = %q", got)
		}
		if got := text(byClass(doc, "lead")); got != "to continue to Grafana (login.grafana.example.com)" {
			t.Errorf("lead = %q", got)
		}
	})
	t.Run("has no form around the choices: the policy would have to list every upstream", func(t *testing.T) {
		if n := len(elements(mustID(t, doc, "login-form"), "form")); n != 0 {
			t.Errorf("%d forms", n)
		}
	})
}

func TestChooserWithoutClient(t *testing.T) {
	doc := chooserDoc(t, Chooser{Connections: []Connection{{ID: "acme", URL: "/x"}}})
	if got := text(elements(doc, "title")[0]); got != "Choose how to sign in – Example Corp" {
		t.Errorf("title = %q", got)
	}
	if byClass(doc, "lead") != nil || byClass(doc, "foot") != nil {
		t.Error("shows a client or a switch that nobody gave")
	}
	if got := text(mustID(t, doc, "connection-acme")); got != "Aacme" {
		t.Errorf("a connection without a name reads %q, want monogram and id", got)
	}
}

func TestX5_EmailField(t *testing.T) {
	t.Run("posts to the chooser", func(t *testing.T) {
		doc := chooserDoc(t, fullChooser())
		form := mustID(t, doc, "email-form")
		if attr(form, "method") != "post" || attr(form, "action") != "/oauth2/login" {
			t.Errorf("%s to %q", attr(form, "method"), attr(form, "action"))
		}
		field := mustID(t, doc, "email")
		for name, want := range map[string]string{"type": "email", "name": "email", "autocomplete": "email", "value": "ada@example.com"} {
			if got := attr(field, name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
		var hidden []string
		for _, n := range elements(form, "input") {
			if attr(n, "type") == "hidden" {
				hidden = append(hidden, attr(n, "name")+"="+attr(n, "value"))
			}
		}
		if d := cmp.Diff([]string{"flow=one"}, hidden); d != "" {
			t.Error(d)
		}
	})
	t.Run("says that an address leads nowhere, to screen readers too", func(t *testing.T) {
		v := fullChooser()
		v.Email.Unknown = false
		if byID(chooserDoc(t, v), "email-unknown") != nil {
			t.Error("says so before anything was typed")
		}
		v.Email.Unknown = true
		doc := chooserDoc(t, v)
		if attr(mustID(t, doc, "email"), "aria-describedby") != "email-unknown" || attr(mustID(t, doc, "email-unknown"), "role") != "status" {
			t.Error("the field does not name its message")
		}
	})
	t.Run("is absent without domains", func(t *testing.T) {
		v := fullChooser()
		v.Email = nil
		if doc := chooserDoc(t, v); byID(doc, "email-form") != nil || byClass(doc, "or") != nil {
			t.Error("there is a form")
		}
	})
	t.Run("the page that it leads to offers the way back", func(t *testing.T) {
		v := fullChooser()
		v.Email, v.Connections = nil, v.Connections[:1]
		doc := chooserDoc(t, v)
		if got := text(elements(doc, "h1")[0]); got != "This is where you sign in" {
			t.Errorf("heading = %q", got)
		}
		if got := attr(mustID(t, doc, "chooser-all"), "href"); got != v.AllURL {
			t.Errorf("way back to %q", got)
		}
	})
}

func TestChooserRememberSwitch(t *testing.T) {
	for on, want := range map[bool]string{
		false: "Remember my choice",
		true:  "Ask me every time instead",
	} {
		v := fullChooser()
		v.Remembering = on
		a := mustID(t, chooserDoc(t, v), "chooser-remember")
		if text(a) != want || attr(a, "href") != v.RememberURL {
			t.Errorf("remembering %v: %q to %q", on, text(a), attr(a, "href"))
		}
	}
}

func byClass(doc *html.Node, class string) *html.Node {
	for _, n := range elements(doc, "") {
		if attr(n, "class") == class {
			return n
		}
	}
	return nil
}
