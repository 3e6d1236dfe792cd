package consent

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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
		"M15 nothing granted yet":               {remember, "", "openid email", false, Question{true, names("openid email"), nil}},
		"M17 all granted":                       {remember, "openid email", "openid email", false, Question{false, nil, names("openid email")}},
		"M17 fewer than granted":                {remember, "openid email", "email", false, Question{false, nil, names("email")}},
		"M18 one more":                          {remember, "openid", "openid email", false, Question{true, names("email"), names("openid")}},
		"M18 order of the request":              {remember, "x", "b x a", false, Question{true, names("b a"), names("x")}},
		"no scopes":                             {remember, "", "", false, Question{}},
		"undeclared scope":                      {remember, "", "api:read", false, Question{true, names("api:read"), nil}},
		"implicit alone":                        {remember, "", "silent", false, Question{false, names("silent"), nil}},
		"implicit beside a granted one":         {remember, "openid", "openid silent", false, Question{false, names("silent"), names("openid")}},
		"implicit beside a new one":             {remember, "", "silent email", false, Question{true, names("silent email"), nil}},
		"transient is asked again":              {remember, "openid once", "openid once", false, Question{true, names("once"), names("openid")}},
		"transient and implicit":                {remember, "", "both", false, Question{false, names("both"), nil}},
		"no mode means remember":                {"", "", "openid", false, Question{true, names("openid"), nil}},
		"no mode, all granted":                  {"", "openid", "openid", false, Question{false, nil, names("openid")}},
		"prompt=consent though all granted":     {remember, "openid", "openid", true, Question{true, nil, names("openid")}},
		"prompt=consent with implicit only":     {remember, "", "silent", true, Question{true, names("silent"), nil}},
		"always though all granted":             {always, "openid", "openid", false, Question{true, nil, names("openid")}},
		"always with implicit only":             {always, "", "silent", false, Question{true, names("silent"), nil}},
		"always with prompt=consent":            {always, "", "openid", true, Question{true, names("openid"), nil}},
		"M16 trusted, nothing granted":          {trusted, "", "openid email once", false, Question{false, names("openid email once"), nil}},
		"trusted, granted before it was":        {trusted, "openid", "openid", false, Question{false, names("openid"), nil}},
		"S50 trusted, but prompt=consent":       {trusted, "", "openid", true, Question{true, names("openid"), nil}},
		"trusted, granted, with prompt=consent": {trusted, "openid", "openid", true, Question{true, names("openid"), nil}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLedger(storetest.NewClock())
			record(t, l, client(remember), names(tc.granted)...)
			got, err := l.Ask(t.Context(), ada, client(tc.mode), names(tc.requested), tc.prompt)
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
	if diff := cmp.Diff(Question{true, names("email"), names("openid")}, ask(t, l, c, "openid", "email")); diff != "" {
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
		q, err := l.Ask(t.Context(), other.subject, &oauth.Client{ID: other.client, Consent: oauth.ConsentRemember}, []string{"openid"}, false)
		if err != nil {
			t.Fatal(err)
		}
		if !q.Due {
			t.Errorf("ada's grant to web counts for %q at %q", other.subject, other.client)
		}
	}
}
