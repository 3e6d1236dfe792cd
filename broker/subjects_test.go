package broker_test

import (
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// subjectOf signs ada in and returns the sub of the ID token, having checked
// that access token and userinfo agree.
func (w *world) subjectOf(user string) string {
	w.Helper()
	_, tokens := w.exchange(w.authorize(w.newBrowser(), user).Get("code"))
	if tokens["id_token"] == nil {
		w.Fatalf("no tokens: %v", tokens)
	}
	sub := payload(w, tokens["id_token"])["sub"].(string)
	_, info := w.userinfo(tokens["access_token"].(string))
	if access := payload(w, tokens["access_token"])["sub"]; access != sub || info["sub"] != sub {
		w.Errorf("sub differs: ID token %v, access token %v, userinfo %v", sub, access, info["sub"])
	}
	return sub
}

func TestSubject_Legacy(t *testing.T) {
	w := newWorld(t, options{config: func(_ *world, c *broker.Config) { c.SubjectFormat = broker.SubjectLegacy }})
	if got := w.subjectOf("ada"); got != "auth0|ada" {
		t.Errorf("sub = %q", got)
	}
	w.enter(w.newBrowser(), "/", "ada")
	if got := w.received().Header.Get("Remote-User"); got != "auth0|ada" {
		t.Errorf("Remote-User = %q", got)
	}
}

func TestSubject_LegacyNeedsASingleConnection(t *testing.T) {
	w := newWorld(t, options{})
	c := broker.Config{Issuer: issuer, SubjectFormat: broker.SubjectLegacy}
	c.Connections = []broker.Connection{w.connection("auth0", ""), w.connection("second", "")}
	if _, err := broker.New(c, broker.Deps{Store: w.store}); err == nil || !strings.Contains(err.Error(), "subject_format legacy") {
		t.Errorf("error %v", err)
	}
}

// Clients of one sector know a user by one name, others by another, and no
// client of theirs can tell that it is the same user.
func TestSubject_Pairwise(t *testing.T) {
	pairwise := func(sector string) options {
		return options{client: func(c *oauth.Client) {
			c.SubjectType, c.SectorIdentifierURI = oauth.SubjectPairwise, sector
		}}
	}
	o := pairwise("")
	w := newWorld(t, o)
	own := w.subjectOf("ada")
	if again := w.subjectOf("ada"); again != own {
		t.Error("the pairwise subject is not stable")
	}
	if w.subjectOf("grace") == own {
		t.Error("two users have one subject")
	}
	w.newBroker(pairwise("https://other.example.com/sector.json"))
	if w.subjectOf("ada") == own {
		t.Error("two sectors know the user by one name")
	}
	w.newBroker(pairwise("https://client.example.com/sector.json"))
	if w.subjectOf("ada") != own {
		t.Error("the sector's host decides, whatever names it")
	}
	w.newBroker(options{})
	public := w.subjectOf("ada")
	if public == own {
		t.Error("the pairwise subject is the public one")
	}
	w.enter(w.newBrowser(), "/", "ada")
	if got := w.received().Header.Get("Remote-User"); got != public {
		t.Errorf("the gate's subject %q is not the public one", got)
	}
}

// A tenant that moves to another address keeps its users, if the operator
// pins the old one.
func TestSubject_Namespace(t *testing.T) {
	w := newWorld(t, options{})
	before := w.subjectOf("ada")
	pinned := func(namespace string) options {
		return options{config: func(_ *world, c *broker.Config) { c.Connections[0].SubjectNamespace = namespace }}
	}
	w.newBroker(pinned(w.tenant.Issuer()))
	if w.subjectOf("ada") != before {
		t.Error("pinning the present issuer changes the subject")
	}
	w.newBroker(pinned("https://old.example.com/"))
	if w.subjectOf("ada") == before {
		t.Error("the namespace does nothing")
	}
}
