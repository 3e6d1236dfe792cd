package portal

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// A fakeBroker has one application and two sessions for everybody, and notes
// what is done.
type fakeBroker struct {
	err  error
	done []string
}

func (b *fakeBroker) note(what ...string) error {
	if b.err == nil {
		b.done = append(b.done, strings.Join(what, " "))
	}
	return b.err
}

func (b *fakeBroker) Apps(context.Context, string) ([]ui.PortalApp, error) {
	return []ui.PortalApp{{ID: "notes", Client: ui.Client{Name: "Notes"}}, {ID: "home", Trusted: true}}, b.err
}

func (b *fakeBroker) Withdraw(_ context.Context, subject, client string, scopes ...string) error {
	return b.note("withdraw", subject, client, strings.Join(scopes, "+"))
}

func (b *fakeBroker) Sessions(context.Context, string) ([]session.UserSession, error) {
	return []session.UserSession{{SID: "here", Connections: []string{"acme"}, Clients: []string{"notes", "portal"}}, {SID: "there"}}, b.err
}

func (b *fakeBroker) EndSession(_ context.Context, subject, sid string) error {
	return b.note("end", subject, sid)
}

func (b *fakeBroker) EndAll(_ context.Context, subject string) error {
	return b.note("end all", subject)
}
func (b *fakeBroker) Connection(id string) string { return "the " + id }
func (b *fakeBroker) Client(id string) string     { return "app " + id }
func (b *fakeBroker) Attribute(_, name string) string {
	if name == "team" {
		return "Team"
	}
	return ""
}

func newPortal(t *testing.T) (*Portal, *fakeBroker) {
	t.Helper()
	pages, err := ui.New(ui.Options{StylePath: "/style.css"})
	if err != nil {
		t.Fatal(err)
	}
	schema, err := authn.NewSchema(authn.Field{Name: claims.Key("team"), Type: claims.String, Description: "Not this"})
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Unix(1_800_000_000, 0) }
	b := new(fakeBroker)
	return &Portal{
		Base: "/portal", SignOut: "/portal/auth/logout", Broker: b, Fields: schema.Fields(),
		Sealer: &session.Sealer{Store: store.NewMemory(now)}, Pages: pages, Log: zap.NewNop(), Now: now,
	}, b
}

// user is the authorization of one.
func user(subject, sid string) *authn.Authorization {
	return &authn.Authorization{
		Subject: subject, SID: sid, Context: &authn.Context{Subject: subject, Connection: "acme", IDPSubject: "auth0|1"},
	}
}

func (p *Portal) post(t *testing.T, a *authn.Authorization, path, token string, fields ...string) *httptest.ResponseRecorder {
	t.Helper()
	form := url.Values{"token": {token}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, "https://auth.example.com/portal"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	p.Serve(rec, r, a)
	return rec
}

func (p *Portal) token(t *testing.T, a *authn.Authorization) string {
	t.Helper()
	token, err := p.seal(t.Context(), formPurpose, a, formLifetime, "")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// One browser can hold sign-ins of two people at once, through two
// connections, in one session. The form of the one is none of the other's.
func TestS44_FormsAreTheUsersNotOnlyTheSessions(t *testing.T) {
	p, b := newPortal(t)
	ada, grace := user("ada", "here"), user("grace", "here")
	if rec := p.post(t, grace, pathEndAll, p.token(t, ada)); rec.Code != http.StatusForbidden {
		t.Errorf("another user's form: %d", rec.Code)
	}
	if len(b.done) != 0 {
		t.Errorf("done: %q", b.done)
	}
	if rec := p.post(t, ada, pathEndAll, p.token(t, ada)); rec.Code != http.StatusSeeOther {
		t.Errorf("one's own: %d", rec.Code)
	}
}

// Every form is answered by 303, to where the user sees what it has done.
func TestFormsAreAnsweredBySeeOther(t *testing.T) {
	p, b := newPortal(t)
	a := user("ada", "here")
	for _, tt := range []struct {
		path   string
		fields []string
		to     string
		done   string
	}{
		{pathWithdraw, []string{"client", "notes"}, "#apps", "withdraw ada notes "},
		{pathWithdraw, []string{"client", "notes", "scope", "email"}, "#apps", "withdraw ada notes email"},
		{pathWithdraw, []string{"client", "gone"}, "#apps", "withdraw ada gone "},
		{pathEnd, []string{"session", "there"}, "#sessions", "end ada there"},
		{pathEnd, []string{"session", "here"}, "/portal/auth/logout", "end ada here"},
		{pathEndAll, nil, "/portal/auth/logout", "end all ada"},
	} {
		b.done = nil
		rec := p.post(t, a, tt.path, p.token(t, a), tt.fields...)
		if rec.Code != http.StatusSeeOther || !strings.HasSuffix(rec.Header().Get("Location"), tt.to) || rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %q: %d %v", tt.path, tt.fields, rec.Code, rec.Header())
		}
		if got := strings.Join(b.done, "; "); got != tt.done {
			t.Errorf("%s %q: %q, want %q", tt.path, tt.fields, got, tt.done)
		}
	}
}

// What could not be read or done must not look as if it had been.
func TestS18_StoreFailuresAreReported(t *testing.T) {
	p, b := newPortal(t)
	a := user("ada", "here")
	token := p.token(t, a)
	b.err = errors.New("the store is away")
	for _, path := range []string{pathWithdraw, pathEnd, pathEndAll} {
		if rec := p.post(t, a, path, token, "client", "notes", "session", "there"); rec.Code != http.StatusServiceUnavailable {
			t.Errorf("%s answers %d", path, rec.Code)
		}
	}
	for _, path := range []string{"", pathWithdraw + "?client=notes"} {
		rec := httptest.NewRecorder()
		p.Serve(rec, httptest.NewRequest(http.MethodGet, "/portal"+path, nil), a)
		if rec.Code != http.StatusServiceUnavailable || strings.Contains(rec.Body.String(), "away") {
			t.Errorf("%q answers %d", path, rec.Code)
		}
	}
}

func TestMethods(t *testing.T) {
	p, _ := newPortal(t)
	for path, allowed := range map[string]string{"": "GET, HEAD", pathWithdraw: "GET, HEAD, POST", pathEnd: "POST", pathEndAll: "POST"} {
		rec := httptest.NewRecorder()
		p.Serve(rec, httptest.NewRequest(http.MethodPut, "/portal"+path, nil), user("ada", "here"))
		if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != allowed || rec.Header().Get("Cross-Origin-Opener-Policy") != "same-origin" {
			t.Errorf("%q: %d %v", path, rec.Code, rec.Header())
		}
	}
}

func TestM58_DataAndItsOrigins(t *testing.T) {
	p, _ := newPortal(t)
	c := user("ada", "here").Context
	c.Attributes = map[string]any{
		"name": "Ada", "team": "blue", "updated_at": json.Number("1700000000"), "nickname": "a", "gender": "f", "website": "w",
		"address": map[string]any{"country": "GB"},
	}
	c.Origins = authn.Origins{
		"name":            {Stage: authn.StageMapping, Attribute: "name", From: "id_token name"},
		"team":            {Stage: authn.StageMapping, Attribute: "team", From: `userinfo https://example\.com/team`},
		"nickname":        {Stage: authn.StageScript},
		"gender":          {Stage: authn.StageApplication},
		"website":         {Stage: authn.StageMapping},
		"address.country": {Stage: authn.StageMapping, Attribute: "address.country", From: "id_token address.country"},
	}
	upstream := func(document, path string) ui.Origin {
		return ui.Origin{Kind: authn.FromProvider, Connection: "the acme", Document: document, Path: path}
	}
	want := []ui.Datum{
		{Name: "name", Label: "Name", Value: "Ada", Origin: upstream("id_token", "name")},
		{Name: "nickname", Label: "Nickname", Value: "a", Origin: ui.Origin{Kind: authn.FromScript}},
		{Name: "website", Label: "Website", Value: "w", Origin: ui.Origin{Kind: authn.FromOperator}},
		{Name: "gender", Label: "Gender", Value: "f", Origin: ui.Origin{Kind: authn.FromApplication}},
		{Name: "updated_at", Label: "Last updated", Value: time.Unix(1_700_000_000, 0)},
		{Name: "address.country", Label: "Country", Value: "GB", Origin: upstream("id_token", "address.country")},
		{Name: "team", Label: "Team", Value: "blue", Origin: upstream("userinfo", "https://example.com/team")},
		{Name: "sub", Label: "Subject", Value: "ada", Origin: ui.Origin{Kind: authn.FromBroker}},
		{Name: "idp_sub", Label: "IDP subject", Value: "auth0|1", Origin: ui.Origin{Kind: authn.FromProvider, Connection: "the acme"}},
	}
	if diff := cmp.Diff(want, p.data(c)); diff != "" {
		t.Error(diff)
	}
}

func TestSessionsHaveNames(t *testing.T) {
	p, b := newPortal(t)
	all, _ := b.Sessions(t.Context(), "ada")
	want := []ui.PortalSession{
		{SID: "here", Current: true, Connections: []string{"the acme"}, Sites: []string{"app notes"}},
		{SID: "there"},
	}
	if diff := cmp.Diff(want, p.sessions(all, "here")); diff != "" {
		t.Error(diff)
	}
}

func TestAccount(t *testing.T) {
	for want, attributes := range map[string]map[string]any{
		"ada@example.com": {"email": "ada@example.com", "name": "Ada"},
		"ada":             {"email": " ", "preferred_username": "ada", "name": "Ada"},
		"Ada":             {"email": true, "name": "Ada"},
		"auth0|1":         {},
	} {
		c := user("x", "y").Context
		c.Attributes = attributes
		if got := account(c); got != want {
			t.Errorf("%v: %q, want %q", attributes, got, want)
		}
	}
}
