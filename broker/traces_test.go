package broker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// traceMarker is in every value of the person that the tenant tells.
const traceMarker = "not-a-secret-value"

// lossy is a world in which one claim of each kind is lost: absent upstream
// (badge), mistyped (groups), withheld (email), and replaced by the script
// (nickname).
func lossy(t *testing.T) *world {
	t.Helper()
	users := brokertest.Users()
	users[0].Claims = map[string]any{
		"name": traceMarker, "nickname": traceMarker, "email": traceMarker + "@example.com", "email_verified": true,
		"https://example.com/groups": traceMarker, "https://example.com/unread": traceMarker,
	}
	users[0].IDTokenClaims = users[0].Claims
	o := scripted(`module.exports = async () => ({ authn_ctx: { nickname: "`+traceMarker+`-2" } })`, func(c *broker.Config) {
		p := &c.Connections[0].Pipeline
		p.Attributes = append(slices.Clone(p.Attributes),
			claims.Attribute{Name: "teams", Source: claims.IDToken, Path: claims.Key("https://example.com/groups"), Type: claims.StringArray, Origin: "Caddyfile:17"},
			claims.Attribute{Name: "badge", Source: claims.IDToken, Path: claims.Key("badge"), Origin: "Caddyfile:18"},
		)
		p.Mappings = append([]claims.Mapping{
			{From: "teams", To: claims.Key("groups"), Origin: "Caddyfile:19"},
			{From: "badge", To: claims.Key("tenant"), Origin: "Caddyfile:20"},
		}, p.Mappings...)
	})
	o.tenant.Users = users
	return newWorld(t, o)
}

// newest returns the lineage of the newest sign-in.
func (w *world) newest() *op.TraceRecord {
	w.Helper()
	kept, err := w.broker.Traces(w.Context())
	if err != nil || len(kept) == 0 {
		w.Fatalf("nothing is kept: %v", err)
	}
	record, err := w.broker.Trace(w.Context(), kept[0].LoginID)
	if err != nil {
		w.Fatal(err)
	}
	if diff := cmp.Diff(kept[0], record.TraceSummary); diff != "" {
		w.Errorf("list and record differ:\n%s", diff)
	}
	return record
}

func TestM73_TraceTellsWhyEachClaimIsMissing(t *testing.T) {
	w := lossy(t)
	b := w.newBrowser()
	w.consentPage(b)
	b.Check("scope-email", false)
	_, tokens := w.exchange(w.answer(b.Click("consent-allow")).Get("code"))
	id := payload(t, tokens["id_token"])
	record := w.newest()
	if record.Client != "notes" || record.Connection != "auth0" || record.Outcome != op.OutcomeCode || record.Reason != "" || !record.Time.Equal(w.clock.Now()) {
		t.Errorf("summary %+v", record.TraceSummary)
	}
	if byTrace, err := w.broker.Trace(t.Context(), record.Trace); err != nil || byTrace.LoginID != record.LoginID {
		t.Errorf("by correlation id: %v, %v", byTrace, err)
	}
	if got := record.Granted.Scopes; !slices.Equal(got, []string{"openid", "profile"}) || !slices.Contains(record.Requested.Scopes, "email") {
		t.Errorf("granted %v of %v", got, record.Requested.Scopes)
	}
	for claim, want := range map[string]string{
		"groups":     `groups is not in the ID token of notes: type_mismatch: attribute "teams" (Caddyfile:17) got string, want string_array`,
		"tenant":     `tenant is not in the ID token of notes: absent_upstream: attribute "badge" (Caddyfile:18) found nothing at id_token badge`,
		"email":      `email is not in the ID token of notes: consent_withheld: the client asked for openid profile email, and the person granted openid profile`,
		"nickname":   `nickname is in the ID token and userinfo of notes: string, 22 bytes; script_replaced: the post-authentication script set another value than was there`,
		"name":       `name is in the ID token and userinfo of notes: string, 20 bytes`,
		"phone":      `phone is in no token of notes: claim_not_declared: declare it by: claim phone id_token`,
		"given_nam":  `given_nam is in no token of notes: claim_not_declared: declare it by: claim given_nam id_token; did you mean "given_name"?`,
		"address":    `address is not in the ID token of notes: scope_not_allowed: the client may ask for openid profile email`,
		"updated_at": `updated_at is not in the ID token of notes: absent_upstream: attribute "updated_at" (default) found nothing at id_token updated_at`,
	} {
		if got := record.Explain(claim); got != want {
			t.Errorf("explain:\n got %s\nwant %s", got, want)
		}
	}
	t.Run("the record is what happened", func(t *testing.T) {
		for _, d := range record.Deliveries[claims.IDToken] {
			if _, carried := id[d.Claim]; carried != (d.Reason == "") {
				t.Errorf("%s: in the ID token %t, recorded as %q", d.Claim, carried, d.Reason)
			}
		}
		if len(record.Deliveries) != 4 {
			t.Errorf("%d kinds of token", len(record.Deliveries))
		}
	})
}

// S109: names, types and sizes are kept, and no value of any stage.
func TestS109_TracesHoldNoValue(t *testing.T) {
	w := lossy(t)
	w.tokens("ada")
	w.enter(w.newBrowser(), "/", "ada")
	record := w.newest()
	if !slices.ContainsFunc(record.Entries, func(e authn.Entry) bool { return e.Name == "https://example.com/unread" }) {
		t.Error("the claim that nobody reads is not told")
	}
	for _, raw := range w.traces() {
		for _, secret := range []string{traceMarker, "auth0|ada", "client-state", "client-nonce", testVerifier, oauth.S256(testVerifier)} {
			if strings.Contains(raw, secret) {
				t.Errorf("a record holds %q: %s", secret, raw)
			}
		}
	}
}

func TestM73_TraceTellsHowASignInEnded(t *testing.T) {
	t.Run("no consent", func(t *testing.T) {
		w := lossy(t)
		b := w.newBrowser()
		w.consentPage(b)
		if len(w.traces()) != 0 {
			t.Error("kept before it ended")
		}
		b.Click("consent-deny")
		wantEnd(t, w.newest(), "access_denied", "consent_denied",
			"name is in no token of notes: the sign-in ended with access_denied (consent_denied)")
	})
	t.Run("a required attribute", func(t *testing.T) {
		w := newWorld(t, options{config: func(_ *world, c *broker.Config) {
			for i := range c.Connections[0].Pipeline.Mappings {
				if m := &c.Connections[0].Pipeline.Mappings[i]; m.From == "email" {
					m.Required = true
				}
			}
		}})
		w.authorize(w.newBrowser(), "no-email")
		record := w.newest()
		wantEnd(t, record, "access_denied", "attribute_missing",
			"name is in no token of notes: the sign-in ended with access_denied (attribute_missing)")
		want := `email is in no token of notes: the sign-in ended with access_denied (attribute_missing): absent_upstream: attribute "email" (default) found nothing at id_token email`
		if got := record.Explain("email"); got != want {
			t.Errorf("explain:\n got %s\nwant %s", got, want)
		}
	})
	t.Run("a script", func(t *testing.T) {
		w := newWorld(t, scripted(`module.exports = async () => { throw new Error("`+traceMarker+`") }`))
		w.authorize(w.newBrowser(), "ada")
		wantEnd(t, w.newest(), "server_error", "script_failed",
			"name is in no token of notes: the sign-in ended with server_error (script_failed)")
		if strings.Contains(strings.Join(w.traces(), ""), traceMarker) {
			t.Error("the text of the exception is kept")
		}
	})
	t.Run("twice, and the second from the cache", func(t *testing.T) {
		w := newWorld(t, options{config: cached(time.Hour)})
		b := w.newBrowser()
		w.authorize(b, "ada")
		w.clock.Advance(time.Second)
		w.authorize(b, "ada")
		if n := len(w.traces()); n != 2 {
			t.Errorf("%d records, want 2", n)
		}
		want := "address is not in the ID token of notes: scope_not_allowed: the client may ask for openid profile email"
		if got := w.newest().Explain("address"); got != want {
			t.Errorf("explain:\n got %s\nwant %s", got, want)
		}
	})
}

func wantEnd(t *testing.T, record *op.TraceRecord, outcome, reason, name string) {
	t.Helper()
	if record.Outcome != outcome || record.Reason != reason || len(record.Entries) == 0 || record.Deliveries != nil {
		t.Errorf("ended with %s (%s), %d entries, deliveries %v", record.Outcome, record.Reason, len(record.Entries), record.Deliveries)
	}
	if got := record.Explain("name"); got != name {
		t.Errorf("explain:\n got %s\nwant %s", got, name)
	}
}

// An application turns somebody away: what is known of the sign-in is kept
// when the browser comes back.
func TestM73_TraceOfAnAbortedSignIn(t *testing.T) {
	w := newWorld(t, options{config: application()})
	b := w.newBrowser()
	v := w.visitApp(b)
	b.Get(v.back(v.abort(`"error_description":"` + traceMarker + `"`)))
	record := w.newest()
	wantEnd(t, record, "access_denied", "post_authn_aborted",
		"name is in no token of notes: the sign-in ended with access_denied (post_authn_aborted)")
}

// S98: 200 records are kept, whoever signs in how often, and they are the
// last ones, over a restart too. Sign-ins that reached no person are not
// among them, so nobody without an account can push others out.
func TestS98_TracesAreBounded(t *testing.T) {
	w := newWorld(t, options{config: cached(time.Hour)})
	b := w.newBrowser()
	w.authorize(b, "ada")
	for range 249 {
		w.clock.Advance(time.Second)
		w.authorize(b, "ada")
	}
	if n := len(w.traces()); n != 200 {
		t.Errorf("%d records after 250 sign-ins, want 200", n)
	}
	began := w.clock.Now()
	w.newBroker(options{config: cached(time.Hour)})
	if err := w.broker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 60 {
		w.clock.Advance(time.Second)
		w.authorize(b, "ada")
	}
	kept, err := w.broker.Traces(t.Context())
	if err != nil || len(kept) != 200 {
		t.Fatalf("%d records, %v", len(kept), err)
	}
	for i, s := range kept {
		if want := began.Add(time.Duration(60-i) * time.Second); !s.Time.Equal(want) {
			t.Fatalf("record %d is of %s, want %s: not the last 200", i, s.Time, want)
		}
	}
	t.Run("errors push nothing out", func(t *testing.T) {
		for range 5 {
			stranger := w.newBrowser()
			w.authorize(stranger, "", "prompt", "none")
			w.authorize(stranger, "denied")
		}
		after, err := w.broker.Traces(t.Context())
		if diff := cmp.Diff(kept, after); err != nil || diff != "" {
			t.Errorf("%v (-before +after):\n%s", err, diff)
		}
	})
	t.Run("24 hours", func(t *testing.T) {
		w.clock.Advance(24*time.Hour - 61*time.Second)
		if n := len(w.traces()); n == 0 {
			t.Error("gone before 24 hours")
		}
		w.clock.Advance(time.Minute + time.Second)
		if n := len(w.traces()); n != 0 {
			t.Errorf("%d records after 24 hours", n)
		}
		if _, err := w.broker.Trace(t.Context(), kept[0].LoginID); !errors.Is(err, op.ErrNoTrace) {
			t.Errorf("error %v, want ErrNoTrace", err)
		}
	})
}

// An upstream that sends thousands of claims cannot make a record large.
func TestS98_TraceOfAnOversizeDocumentIsBounded(t *testing.T) {
	users := brokertest.Users()
	users[0].IDTokenClaims = map[string]any{}
	for i := range 300 {
		users[0].IDTokenClaims[fmt.Sprintf("%s%d", strings.Repeat("\U0001D49C", 97), 100+i)] = 1
	}
	w := newWorld(t, options{tenant: brokertest.Options{Users: users}})
	w.tokens("ada")
	raw := w.traces()
	if len(raw) != 1 || len(raw[0]) > 64<<10 {
		t.Fatalf("%d records, the first of %d bytes", len(raw), len(strings.Join(raw, "")))
	}
	if record := w.newest(); len(record.Entries) < 20 || len(record.Deliveries) != 4 {
		t.Errorf("too much is cut: %d entries", len(record.Entries))
	}
}

// traceless is a store that cannot keep lineage.
type traceless struct{ store.Store }

func (s traceless) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if strings.HasPrefix(key, "trace/") {
		return errors.New("no room")
	}
	return s.Store.Put(ctx, key, value, ttl)
}

func TestSignInGoesOnWithoutItsTrace(t *testing.T) {
	w := newWorld(t, options{})
	w.store = traceless{w.store}
	w.newBroker(options{})
	if id, _ := w.tokens("ada"); id["name"] == nil {
		t.Errorf("ID token %v", id)
	}
	w.enter(w.newBrowser(), "/", "ada")
	if kept, err := w.broker.Traces(t.Context()); err != nil || len(kept) != 0 {
		t.Errorf("kept %v, %v", kept, err)
	}
	if !strings.Contains(w.logs.String(), `"msg":"lineage not kept"`) {
		t.Error("the log does not tell")
	}
}

// traces returns the records as they are stored.
func (w *world) traces() (raw []string) {
	w.Helper()
	keys, err := w.store.List(w.Context(), "trace/", "", 1000)
	if err != nil {
		w.Fatal(err)
	}
	for _, key := range keys {
		value, err := w.store.Get(w.Context(), key)
		if err != nil || !json.Valid(value) {
			w.Fatalf("%s: %v", key, err)
		}
		raw = append(raw, string(value))
	}
	return raw
}
