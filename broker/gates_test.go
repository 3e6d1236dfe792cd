package broker_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// An application, or a proxy in between, loses the gate's cookie, and the
// upstream signs the person in again without asking: the whole way round,
// each time, without a word on the screen.
func TestS20_LoopThroughASilentUpstreamStops(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	lose := func() {
		b.SetCookie(gatedSite, &http.Cookie{Name: "__Host-auth_gate", Path: "/", Secure: true, MaxAge: -1})
		w.clock.Advance(time.Second)
	}
	w.enter(b, "/orders?id=7", "ada")
	for range 2 {
		lose()
		if page := b.Get(gatedSite + "/orders?id=7"); !page.Has("app") {
			t.Fatalf("the upstream asks: %d %s", page.Status, page.URL)
		}
	}
	lose()
	page := b.Get(gatedSite + "/orders?id=7")
	if page.Status != http.StatusBadRequest || !page.Has("error-retry") || page.URL.String() != gatedSite+"/orders?id=7" {
		t.Fatalf("no explanation: %d %s\n%s", page.Status, page.URL, page.Body)
	}
	if page = b.Click("error-retry"); !page.Has("app") || page.URL.String() != gatedSite+"/orders?id=7" {
		t.Errorf("starting over led to %d %s\n%s", page.Status, page.URL, page.Body)
	}
}

// Who is signed in at a site sees where each of the claims comes from that
// the site has, by the names that the operator gave (M58).
func TestM73_M58_VisitorSeesTheOriginOfEachClaim(t *testing.T) {
	w := newWorld(t, options{
		gate: func(c *broker.GateConfig) { c.Scopes = []string{"openid", "profile", "email", "teams"} },
		config: func(_ *world, c *broker.Config) {
			p := &c.Connections[0].Pipeline
			p.Attributes = append(p.Attributes, claims.Attribute{
				Name: "teams", Source: claims.IDToken, Path: claims.Key("https://example.com/groups"), Type: claims.StringArray, DisplayName: "Your teams",
			})
			p.Mappings = append(p.Mappings,
				claims.Mapping{From: "teams", To: claims.Key("groups")},
				claims.Mapping{Static: "acme", To: claims.Key("tenant"), Type: claims.String},
			)
			c.Context = append(c.Context, authn.Field{Name: claims.Key("tenant"), Type: claims.String})
			c.Claims = append(c.Claims,
				claims.Claim{Name: "member_of", From: claims.Key("groups"), Types: []claims.TokenType{claims.IDToken}, Scopes: []string{"teams"}},
				claims.Claim{Name: "tenant", Types: []claims.TokenType{claims.IDToken}},
			)
		},
	})
	b := w.newBrowser()
	w.enter(b, "/", "ada")
	page := b.Fetch(gatedSite + "/.auth/me?explain")
	var answer struct {
		Claims      map[string]any `json:"claims"`
		Explanation []struct {
			Name       string              `json:"name"`
			Value      any                 `json:"value"`
			SourcePath string              `json:"source_path"`
			Origins    []map[string]string `json:"origins"`
		} `json:"explanation"`
	}
	if err := json.Unmarshal(page.Body, &answer); err != nil || page.Status != http.StatusOK {
		t.Fatalf("%d %v %s", page.Status, err, page.Body)
	}
	explained := map[string]any{}
	origins := map[string][]map[string]string{}
	for _, e := range answer.Explanation {
		if e.Name == "sub" {
			continue
		}
		explained[e.Name] = e.Value
		origins[e.SourcePath] = e.Origins
		for _, o := range e.Origins {
			if o["kind"] == "unknown" || o["text"] == "" {
				t.Errorf("%s comes from nowhere: %v", e.Name, o)
			}
		}
	}
	if diff := cmp.Diff(answer.Claims, explained); diff != "" {
		t.Errorf("claims that the site has (-) and that are explained (+):\n%s", diff)
	}
	want := map[string]string{
		"kind": "provider", "connection": "Acme staff", "document": "id_token", "claim": "https://example.com/groups", "attribute": "Your teams",
		"text": `Your teams (claim https://example.com/groups of the id_token of Acme staff)`,
	}
	if diff := cmp.Diff([]map[string]string{want}, origins["groups"]); diff != "" {
		t.Errorf("member_of (-want +got):\n%s", diff)
	}
	if got := origins["tenant"]; len(got) != 1 || got[0]["kind"] != "operator" {
		t.Errorf("tenant: %v", got)
	}
	if containsAll(string(page.Body), "eyJ") {
		t.Errorf("a token is shown: %s", page.Body)
	}
}
