package consent

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

func TestAsk(t *testing.T) {
	const remember, always, trusted = oauth.ConsentRemember, oauth.ConsentAlways, oauth.ConsentTrusted
	for name, tc := range map[string]struct {
		mode      string
		granted   string // earlier, by the same client when it remembered
		requested string
		prompt    bool // prompt=consent
		want      Question
	}{
		"M15 nothing granted yet":               {remember, "", "openid email", false, Question{Due: true}},
		"M17 all granted":                       {remember, "openid email", "openid email", false, Question{false, asked("openid email")}},
		"M17 fewer than granted":                {remember, "openid email", "email", false, Question{false, asked("email")}},
		"M18 one more":                          {remember, "openid", "openid email", false, Question{true, asked("openid")}},
		"M18 order of the request":              {remember, "x", "b x a", false, Question{true, asked("x")}},
		"no scopes":                             {remember, "", "", false, Question{}},
		"undeclared scope":                      {remember, "", "api:read", false, Question{Due: true}},
		"implicit alone":                        {remember, "", "silent", false, Question{Due: false}},
		"implicit beside a granted one":         {remember, "openid", "openid silent", false, Question{false, asked("openid")}},
		"implicit beside a new one":             {remember, "", "silent email", false, Question{Due: true}},
		"transient is asked again":              {remember, "openid once", "openid once", false, Question{true, asked("openid")}},
		"transient and implicit":                {remember, "", "both", false, Question{Due: false}},
		"no mode means remember":                {"", "", "openid", false, Question{Due: true}},
		"no mode, all granted":                  {"", "openid", "openid", false, Question{false, asked("openid")}},
		"prompt=consent though all granted":     {remember, "openid", "openid", true, Question{true, asked("openid")}},
		"prompt=consent with implicit only":     {remember, "", "silent", true, Question{Due: true}},
		"always though all granted":             {always, "openid", "openid", false, Question{true, asked("openid")}},
		"always with implicit only":             {always, "", "silent", false, Question{Due: true}},
		"always with prompt=consent":            {always, "", "openid", true, Question{Due: true}},
		"M16 trusted, nothing granted":          {trusted, "", "openid email once", false, Question{Due: false}},
		"trusted, granted before it was":        {trusted, "openid", "openid", false, Question{Due: false}},
		"S50 trusted, but prompt=consent":       {trusted, "", "openid", true, Question{Due: true}},
		"trusted, granted, with prompt=consent": {trusted, "openid", "openid", true, Question{Due: true}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(storetest.NewClock())
			record(t, l, client(remember), names(tc.granted)...)
			got, err := l.Ask(t.Context(), ada, client(tc.mode), asked(tc.requested), tc.prompt)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A scope that the operator makes transient is asked again, though it is
// in the ledger from before.
func TestAsk_ScopeBecomesTransient(t *testing.T) {
	l, c := newLedger(storetest.NewClock()), client(oauth.ConsentRemember)
	record(t, l, c, "openid", "email")
	l.Scopes["email"] = claims.Scope{Name: "email", Transient: true}
	if diff := cmp.Diff(Question{true, asked("openid")}, ask(t, l, c, "openid", "email")); diff != "" {
		t.Error(diff)
	}
}

// Consent is between one person and one client.
func TestAsk_GrantsAreOfOneSubjectAndClient(t *testing.T) {
	l := newLedger(storetest.NewClock())
	record(t, l, client(oauth.ConsentRemember), "openid")
	for _, other := range []struct{ subject, client string }{
		{"bob", "web"}, {ada, "app"}, {ada, "we"}, {ada, "webb"}, {"ad", "a web"}, {"", "ada web"}, {"ada web", ""}, {"ADA", "web"},
	} {
		q, err := l.Ask(t.Context(), other.subject, &oauth.Client{ID: other.client, Consent: oauth.ConsentRemember}, asked("openid"), false)
		if err != nil {
			t.Fatal(err)
		}
		if !q.Due {
			t.Errorf("ada's grant to web counts for %q at %q", other.subject, other.client)
		}
	}
}

// Claims asked for by the claims parameter count like scopes, each for the
// token it is asked for in.
func TestAsk_Claims(t *testing.T) {
	given := Items{Scopes: []string{"openid"}, Claims: authn.RequestedClaims{IDToken: []string{"email"}}}
	for name, tc := range map[string]struct {
		idToken, userinfo string
		mode              string
		want              Question
	}{
		"granted":                     {"email", "", oauth.ConsentRemember, Question{false, given}},
		"another claim":               {"email phone_number", "", oauth.ConsentRemember, Question{true, given}},
		"the same claim, elsewhere":   {"", "email", oauth.ConsentRemember, Question{true, asked("openid")}},
		"granted, but asked always":   {"email", "", oauth.ConsentAlways, Question{true, given}},
		"trusted clients do not ask":  {"phone_number", "", oauth.ConsentTrusted, Question{}},
		"a claim is no scope, though": {"openid", "", oauth.ConsentRemember, Question{true, asked("openid")}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(storetest.NewClock())
			if err := l.Record(t.Context(), ada, client(oauth.ConsentRemember), Answer{Connection: "staff", Items: given}); err != nil {
				t.Fatal(err)
			}
			items := Items{Scopes: []string{"openid"}, Claims: authn.RequestedClaims{IDToken: names(tc.idToken), Userinfo: names(tc.userinfo)}}
			got, err := l.Ask(t.Context(), ada, client(tc.mode), items, false)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
