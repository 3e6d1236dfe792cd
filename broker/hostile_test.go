package broker_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/auth0"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider/oidc"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/script"
)

// These tests give the whole pipeline what somebody could write into his own
// profile at the upstream: custom claims of every kind, in each of the three
// documents, out through every output.

// marker stands in every hostile value, so that its traces can be found.
const marker = "mk7Q"

// hostileUser is who has the claims under test.
const hostileUser = "hostile-claims"

const hostileAPI = "https://api.example.com"

// sources are the documents, with what their attributes are called here.
var sources = map[string]claims.Source{"id": claims.IDToken, "access": claims.AccessToken, "userinfo": claims.Userinfo}

// kinds are the custom claims of each document, by what they are mapped to.
// The kind weak reads the claim text: one text becomes a list.
var kinds = map[string]claims.Type{
	"text": claims.String, "list": claims.StringArray, "object": claims.Object,
	"number": claims.Number, "any": claims.Any, "weak": claims.StringArray,
}

// eachOutput calls f for every claim under test.
func eachOutput(f func(name, prefix, kind string)) {
	for prefix := range sources {
		for kind := range kinds {
			f(prefix+"_"+kind, prefix, kind)
		}
	}
}

func claimOf(kind string) string {
	if kind == "weak" {
		kind = "text"
	}
	return "https://example.com/" + kind
}

// headerOf is the request header that a claim goes into.
func headerOf(name string) string {
	return http.CanonicalHeaderKey("X-Out-" + strings.ReplaceAll(name, "_", "-"))
}

// hostileWorld maps the custom claims of all documents to tokens and headers.
func hostileWorld(t *testing.T, changes ...func(*options)) *world {
	t.Helper()
	o := options{
		tenant: brokertest.Options{APIs: []brokertest.API{{Identifier: hostileAPI}}},
		client: func(c *oauth.Client) { c.IDTokenAlg = "ES256" },
		gate: func(g *broker.GateConfig) {
			g.Headers = gateway.DefaultHeaders()
			eachOutput(func(name, _, _ string) { g.Headers = append(g.Headers, header(t, headerOf(name), "{claim."+name+"}")) })
		},
		config: hostileConfig,
	}
	for _, change := range changes {
		change(&o)
	}
	return newWorld(t, o)
}

// configured changes the configuration that hostileWorld makes.
func configured(change func(*world, *broker.Config)) func(*options) {
	return func(o *options) {
		before := o.config
		o.config = func(w *world, c *broker.Config) {
			before(w, c)
			change(w, c)
		}
	}
}

// idTokenOnly keeps the claims out of access tokens, as is the default.
func idTokenOnly(o *options) {
	configured(func(_ *world, c *broker.Config) { withoutAccessClaims(c) })(o)
}

func withoutAccessClaims(c *broker.Config) {
	for i := range c.Claims {
		c.Claims[i].Types = []claims.TokenType{claims.IDToken}
	}
}

// withScript gives the connection a script, unless it is empty.
func withScript(source string) func(*options) {
	return configured(func(w *world, c *broker.Config) {
		if source != "" {
			c.Connections[0].Script = &op.Script{Compiled: compile(w, source)}
		}
	})
}

func compile(t testing.TB, source string) *script.Script {
	t.Helper()
	s, err := script.NewEngine().Compile(script.Config{Name: "test.js", Source: source, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func header(t testing.TB, name, value string) gateway.Header {
	t.Helper()
	h, err := gateway.ParseHeader(name, value)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func hostileConfig(w *world, c *broker.Config) {
	w.Helper()
	p, err := auth0.New(auth0.Config{
		Domain: w.tenant.Domain(), ClientID: upstreamID, ClientSecret: upstreamSecret, AllowLocal: true,
		Audience: hostileAPI, Userinfo: oidc.UserinfoOn,
	}, oidc.Deps{Outbound: w.outbound(), Now: w.clock.Now})
	if err != nil {
		w.Fatal(err)
	}
	conn := &c.Connections[0]
	conn.Provider = p
	eachOutput(func(name, prefix, kind string) {
		a := claims.Attribute{Name: name, Source: sources[prefix], Path: claims.Key(claimOf(kind)), Type: kinds[kind]}
		m := claims.Mapping{From: name, To: claims.Key(name)}
		if kind == "weak" {
			a.Type, m.Weak = claims.String, true
		}
		conn.Pipeline.Attributes = append(conn.Pipeline.Attributes, a)
		conn.Pipeline.Mappings = append(conn.Pipeline.Mappings, m)
		c.Context = append(c.Context, authn.Field{Name: claims.Key(name), Type: kinds[kind]})
		c.Claims = append(c.Claims, claims.Claim{Name: name, Types: []claims.TokenType{claims.IDToken, claims.AccessToken}})
	})
}

// tell gives the hostile user new custom claims, the same in all three
// documents: JSON by kind.
func (w *world) tell(values map[string]string) {
	w.Helper()
	u := brokertest.User{
		Name: hostileUser, Username: "hostile@example.com", Password: brokertest.Password, Subject: "auth0|hostile",
		Claims: map[string]any{"name": "Mallory Example", "email": "mallory@example.com", "email_verified": true},
	}
	custom := map[string]any{}
	for kind, value := range values {
		custom[claimOf(kind)] = json.RawMessage(value)
	}
	u.IDTokenClaims, u.AccessTokenClaims, u.UserinfoClaims = custom, custom, custom
	w.tenant.PutUser(u)
}

// An arrival is everything that one sign-in brought about.
type arrival struct {
	id, access, userinfo, me map[string]any // what was told
	header                   http.Header    // what the gated application got
	browser                  *brokertest.Browser
}

// arrive signs the hostile user in at a fresh browser, at the client and at
// the gated site.
func (w *world) arrive() arrival {
	w.Helper()
	out := arrival{browser: w.newBrowser()}
	answer := w.authorize(out.browser, hostileUser)
	status, tokens := w.exchange(answer.Get("code"))
	if status != http.StatusOK {
		w.Fatalf("token endpoint: %d %v after %v", status, tokens, answer)
	}
	out.id, out.access = w.verify(tokens["id_token"]), w.verify(tokens["access_token"])
	if status, out.userinfo = w.userinfo(tokens["access_token"].(string)); status != http.StatusOK {
		w.Fatalf("userinfo: %d %v", status, out.userinfo)
	}
	w.enterGate(&out)
	return out
}

// enterGate goes on to the gated site.
func (w *world) enterGate(a *arrival) {
	w.Helper()
	a.browser.StopBefore = ""
	w.enter(a.browser, "/", hostileUser)
	a.header = overTheWire(w, w.received())
	var me struct{ Claims map[string]any }
	if err := a.browser.Fetch(gatedSite + "/.auth/me").JSON(&me); err != nil {
		w.Fatal(err)
	}
	a.me = me.Claims
}

// overTheWire returns the headers as another server reads them.
func overTheWire(t testing.TB, r *http.Request) http.Header {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET / HTTP/1.1\r\nHost: app\r\n")
	for name, values := range r.Header {
		for _, v := range values {
			fmt.Fprintf(&b, "%s: %s\r\n", name, v)
		}
	}
	b.WriteString("\r\n")
	read, err := http.ReadRequest(bufio.NewReader(&b))
	if err != nil {
		t.Fatalf("no server reads these headers: %v", err)
	}
	return read.Header
}

// verify returns the payload of a token that the published keys verify,
// numbers as texts.
func (w *world) verify(token any) map[string]any {
	w.Helper()
	raw, _ := token.(string)
	parsed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		w.Fatalf("not a token: %v", err)
	}
	rec := httptest.NewRecorder()
	w.broker.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, issuer+"/.well-known/jwks.json", nil))
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(rec.Body.Bytes(), &keys); err != nil {
		w.Fatal(err)
	}
	payload, err := parsed.Verify(keys)
	if err != nil {
		w.Fatalf("the token does not verify: %v", err)
	}
	return exact(w, string(payload)).(map[string]any)
}

// exact decodes JSON with numbers as texts.
func exact(t testing.TB, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%.100q: %v", text, err)
	}
	return v
}

func quoted(s string) string {
	raw, _ := json.Marshal(s)
	return string(raw)
}

// report makes failures of the world those of a subtest.
func (w *world) report(t *testing.T) {
	parent := w.T
	w.T = t
	t.Cleanup(func() { w.T = parent })
}

// wantUntouched checks that nothing of the token's own has been changed by a
// value.
func (w *world) wantUntouched(a arrival) {
	w.Helper()
	for where, token := range map[string]map[string]any{"ID token": a.id, "access token": a.access} {
		if token["iss"] != issuer || token["sub"] != a.userinfo["sub"] || len(fmt.Sprint(token["sub"])) != 64 || token["amr"] != nil {
			w.Errorf("%s: iss %v, sub %v, amr %v", where, token["iss"], token["sub"], token["amr"])
		}
	}
	if a.header.Get("Remote-User") != a.id["sub"] {
		w.Errorf("Remote-User %q, want the subject %v", a.header.Get("Remote-User"), a.id["sub"])
	}
}
