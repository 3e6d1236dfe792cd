package broker_test

import (
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
)

// D4: somebody without a required attribute is turned away, and the operator
// can see which one it was.
func TestD4_RequiredAttributeMissing(t *testing.T) {
	w := newWorld(t, options{config: func(_ *world, c *broker.Config) {
		p := &c.Connections[0].Pipeline
		for i := range p.Mappings {
			if p.Mappings[i].From == "email" {
				p.Mappings[i].Required = true
			}
		}
	}})
	b := w.newBrowser()
	answer := w.authorize(b, "no-email")
	if answer.Get("error") != "access_denied" || !strings.Contains(answer.Get("error_description"), "reason attribute_missing") {
		t.Errorf("the client got %v", answer)
	}
	if log := w.logs.String(); !strings.Contains(log, `required attribute is missing: \"email\"`) || !strings.Contains(log, `"hint":"the provider must send it`) {
		t.Error("the log does not tell what to do")
	}
	if b.Cookie(issuer, "__Host-auth_broker_sso") != nil {
		t.Error("an SSO session began")
	}
	b = w.newBrowser()
	b.Get(gatedSite + "/")
	page := b.SignIn("no-email")
	if page.Status != 403 || page.Text("error-code") != "access_denied" || !strings.Contains(string(page.Body), "Your account lacks something") {
		t.Errorf("the gate says %d %q", page.Status, page.Text("error-code"))
	}
	if w.receivedCount() != 0 {
		t.Error("the request reached the application")
	}
	w.enter(w.newBrowser(), "/", "ada")
}
