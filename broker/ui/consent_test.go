package ui

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

func consentDoc(t *testing.T, v Consent) *html.Node {
	t.Helper()
	p := newPages(t)
	w := serve("GET", func(w http.ResponseWriter, r *http.Request) { p.Consent(w, r, v) })
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	return parse(t, w.Body.String())
}

func TestM88_ConsentShowsWhoAsksForWhat(t *testing.T) {
	doc := consentDoc(t, fullConsent())
	t.Run("who asks, who is asked, and for how long", func(t *testing.T) {
		for _, want := range []string{"Signed in as ada@example.com", "Access lasts 180 days You can withdraw it in My account"} {
			if !hasFact(doc, want) {
				t.Errorf("page lacks %q", want)
			}
		}
		if got := text(byClass(doc, "client-name")); got != "Grafana" {
			t.Errorf("name = %q", got)
		}
		if got := text(elements(doc, "h1")[0]); got != "This application would like access to" {
			t.Errorf("h1 = %q", got)
		}
		if got := text(mustID(t, doc, "consent-host")); got != "login.grafana.example.com" {
			t.Errorf("host = %q", got)
		}
	})
	t.Run("links of the application", func(t *testing.T) {
		got := map[string]string{}
		for _, a := range elements(doc, "a") {
			got[text(a)] = attr(a, "href")
		}
		want := map[string]string{
			"Grafana":          "https://grafana.example.com/",
			"Privacy policy":   "https://grafana.example.com/policy",
			"Terms of service": "https://grafana.example.com/terms",

			"You can withdraw it in My account": "/portal",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if img := elements(doc, "img"); len(img) != 1 || attr(img[0], "src") != "/oauth2/assets/logo/grafana" {
			t.Error("logo is missing")
		}
	})
	t.Run("the purpose, marked as the application's own words", func(t *testing.T) {
		figure := elements(doc, "figure")[0]
		if got := text(elements(figure, "blockquote")[0]); got != "To show your own dashboards." {
			t.Errorf("purpose = %q", got)
		}
		if !strings.Contains(text(figure), "What the application says") {
			t.Error("purpose is not marked as a quotation")
		}
	})
	t.Run("a client that registered itself is marked", func(t *testing.T) {
		if byClass(doc, "note") == nil {
			t.Error("no mark")
		}
		known := fullConsent()
		known.Client.Unverified = false
		if byClass(consentDoc(t, known), "note") != nil {
			t.Error("a configured client is marked")
		}
	})
}

// hasFact looks for "<term> <value>" in the list of facts.
func hasFact(doc *html.Node, want string) bool {
	for _, div := range elements(byClass(doc, "facts"), "div") {
		if text(elements(div, "dt")[0])+" "+text(elements(div, "dd")[0]) == want {
			return true
		}
	}
	return false
}

func TestM95_ConsentBoxes(t *testing.T) {
	doc := consentDoc(t, fullConsent())
	form := mustID(t, doc, "consent-form")

	t.Run("one ticked box for each thing that can be withheld", func(t *testing.T) {
		var got []string
		for _, n := range elements(form, "input") {
			if attr(n, "type") != "checkbox" {
				continue
			}
			if !hasAttr(n, "checked") {
				t.Errorf("%s is not ticked", attr(n, "id"))
			}
			got = append(got, attr(n, "id")+" "+attr(n, "name")+"="+attr(n, "value"))
		}
		want := []string{"scope-profile scope=profile", "scope-orders:read scope=orders:read", "claim-birthdate claim=birthdate"}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
	t.Run("what is fixed has no box and says why", func(t *testing.T) {
		for id, want := range map[string]string{
			"scope-openid": "Confirm who you are Required Needed to sign you in.",
			"scope-email":  "Email Required Your address Your account is tied to it.",
		} {
			n := mustID(t, form, id)
			if n.Data != "li" {
				t.Errorf("%s is a <%s>", id, n.Data)
			}
			var parts []string
			for _, p := range elements(n, "p") {
				parts = append(parts, text(p))
			}
			if got := strings.Join(parts, " "); got != want {
				t.Errorf("%s reads %q, want %q", id, got, want)
			}
		}
	})
	t.Run("what was granted is for reading only", func(t *testing.T) {
		shared := byClass(doc, "shared")
		if got := text(shared); got != "Already shared Phone Language" {
			t.Errorf("already shared = %q", got)
		}
		if len(elements(shared, "input")) != 0 {
			t.Error("a box among what is already shared")
		}
	})
	t.Run("groups follow the services", func(t *testing.T) {
		var got []string
		for _, n := range elements(form, "legend") {
			got = append(got, text(n))
		}
		if d := cmp.Diff([]string{"Choose what to share", "Order service", "Individual details"}, got); d != "" {
			t.Error(d)
		}
	})
}

func TestM89_ConsentForm(t *testing.T) {
	doc := consentDoc(t, fullConsent())
	form := mustID(t, doc, "consent-form")
	if attr(form, "method") != "post" || attr(form, "action") != "/oauth2/consent" {
		t.Errorf("form posts by %q to %q", attr(form, "method"), attr(form, "action"))
	}

	hidden := map[string]string{}
	for _, n := range elements(form, "input") {
		if attr(n, "type") == "hidden" {
			hidden[attr(n, "name")] = attr(n, "value")
		}
	}
	if d := cmp.Diff(fullConsent().Hidden, hidden); d != "" {
		t.Errorf("hidden fields: %s", d)
	}

	allow, deny := mustID(t, form, "consent-allow"), mustID(t, form, "consent-deny")
	if attr(allow, "name") != "decision" || attr(allow, "value") != "allow" || text(allow) != "Allow access" {
		t.Errorf("allow sends %s=%s, reads %q", attr(allow, "name"), attr(allow, "value"), text(allow))
	}
	if attr(deny, "name") != "decision" || attr(deny, "value") != "deny" || text(deny) != "Cancel" {
		t.Errorf("deny sends %s=%s, reads %q", attr(deny, "name"), attr(deny, "value"), text(deny))
	}
	// Return in a check box presses the first button of the form. It must
	// not be the one that grants.
	if first := elements(form, "button")[0]; first != deny {
		t.Errorf("the first button is %q", attr(first, "id"))
	}
}

// A client may choose the name of a scope it asks for one by one; it must
// not be able to take the id, and so the place, of another element.
func TestConsentIDsDoNotCollide(t *testing.T) {
	v := fullConsent()
	v.Scopes = append(v.Scopes,
		Scope{Name: "consent-allow"}, Scope{Name: "2"}, Scope{Name: "scope-profile", Description: "x"})
	v.Claims = append(v.Claims, Claim{Name: "consent-form"}, Claim{Name: "https://example.com/groups"})
	doc := consentDoc(t, v)
	checkReferences(t, doc)
	checkNames(t, doc)
}

func TestConsentWithLittle(t *testing.T) {
	doc := consentDoc(t, Consent{Scopes: []Scope{{Name: "teams"}, {Name: "email", Fixed: true}}})
	if got := text(elements(doc, "title")[0]); got != "Share your data with An application without a name? – Example Corp" {
		t.Errorf("title = %q", got)
	}
	if !hasFact(doc, "Access lasts until you withdraw it") {
		t.Error("no lifetime")
	}
	if got := text(mustID(t, doc, "scope-email")); !strings.Contains(got, "The application does not work without it.") {
		t.Errorf("a required scope without a reason reads %q", got)
	}
	if got := text(elements(doc, "label")[0]); got != "teams" {
		t.Errorf("a scope without display name reads %q", got)
	}
	if hasAttr(mustID(t, doc, "scope-teams"), "aria-describedby") {
		t.Error("a scope without description points to one")
	}
	for _, class := range []string{"shared", "purpose", "foot links", "note"} {
		if byClass(doc, class) != nil {
			t.Errorf("an empty %q is shown", class)
		}
	}
}

func TestClientWithoutNameIsItsHost(t *testing.T) {
	c := Client{Name: "\u202e \n", RedirectHost: "app.example.com"}.clean(english())
	if c.Name != "app.example.com" {
		t.Errorf("name = %q", c.Name)
	}
}
