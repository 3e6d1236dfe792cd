package oidc

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// big is an integer that a float64 cannot hold (2^53 + 1).
const big = json.Number("9007199254740993")

// attribute reads one top-level claim.
func attribute(name string, source claims.Source, claim string) claims.Attribute {
	return claims.Attribute{Name: name, Source: source, Path: claims.Key(claim), Type: claims.Any}
}

// wantAttributes reads attributes out of an identity and compares them, and
// the reasons of those that are absent.
func wantAttributes(t *testing.T, id *provider.Identity, attributes []claims.Attribute, want map[string]any, absent map[string]claims.Reason) {
	t.Helper()
	got, drops := claims.Extract(attributes, id.Documents)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	reasons := map[string]claims.Reason{}
	for _, d := range drops {
		reasons[d.Attribute] = d.Reason
	}
	if absent == nil {
		absent = map[string]claims.Reason{}
	}
	if diff := cmp.Diff(absent, reasons); diff != "" {
		t.Errorf("absent (-want +got):\n%s", diff)
	}
}

// One call a sign-in, to the endpoint that discovery names, which need not
// be a usual one; what is only there becomes an attribute.
func TestM44_OneCallToTheDiscoveredEndpoint(t *testing.T) {
	const path = "/somewhere/else"
	s := newSetup(t, func(c *Config) { c.Userinfo = UserinfoOn })
	s.issuer.metadata = func(doc object) { doc["userinfo_endpoint"] = s.issuer.URL + path }
	s.issuer.serve(path, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer "+s.issuer.access || r.URL.RawQuery != "" {
			t.Errorf("%s %s with Authorization %q", r.Method, r.URL, r.Header.Get("Authorization"))
		}
		reply(w, object{"sub": testSubject, "shoe_size": 38})
	})
	for sign := 1; sign <= 3; sign++ {
		id := s.mustSignIn(t)
		wantAttributes(t, id, []claims.Attribute{
			attribute("size", claims.Userinfo, "shoe_size"), attribute("from the token", claims.IDToken, "shoe_size"),
		}, map[string]any{"size": json.Number("38")}, map[string]claims.Reason{"from the token": claims.AbsentUpstream})
		if n := s.issuer.count(path); n != sign {
			t.Errorf("%d calls after %d sign-ins", n, sign)
		}
	}
	if n := s.issuer.count(pathUserinfo); n != 0 {
		t.Errorf("%d calls of an endpoint nobody named", n)
	}
	t.Run("none for a sign-in that is refused before", func(t *testing.T) {
		s := newSetup(t, func(c *Config) { c.Userinfo = UserinfoOn })
		s.issuer.claims = func(c object) { c["nonce"] = "of another sign-in" }
		s.refused(t, provider.ReasonIDTokenInvalid)
		if n := s.issuer.count(pathUserinfo); n != 0 {
			t.Errorf("%d calls, want none", n)
		}
	})
}

// Some providers give a claim only with a permission. Until it is there the
// sign-in works without.
func TestM48_AClaimThatNeverComesEndsNoSignIn(t *testing.T) {
	s := newSetup(t, func(c *Config) { c.Userinfo = UserinfoOn })
	id := s.mustSignIn(t)
	wantAttributes(t, id, []claims.Attribute{
		attribute("department", claims.IDToken, "custom:department"), attribute("manager", claims.Userinfo, "manager"),
	}, map[string]any{}, map[string]claims.Reason{
		"department": claims.AbsentUpstream, "manager": claims.AbsentUpstream,
	})
}

// The ID token's claims are those of a token that verified, exactly as it
// has them; those of one that did not are nowhere.
func TestM53_AttributesOfTheIDToken(t *testing.T) {
	attributes := []claims.Attribute{
		attribute("groups", claims.IDToken, "https://example.com/groups"), attribute("employee", claims.IDToken, "employee"),
		attribute("team", claims.IDToken, "team"),
	}
	s := newSetup(t, nil)
	s.issuer.claims = func(c object) {
		c["employee"], c["team"] = big, object{"name": "engines", "floors": []int{1, 2}}
	}
	wantAttributes(t, s.mustSignIn(t), attributes, map[string]any{
		"groups": []any{"staff"}, "employee": big,
		"team": object{"name": "engines", "floors": []any{json.Number("1"), json.Number("2")}},
	}, nil)

	s.issuer.signer = otherRSA().named("rsa-1")
	s.refused(t, provider.ReasonIDTokenInvalid)
}

func TestM54_AttributesOfUserinfo(t *testing.T) {
	s := newSetup(t, func(c *Config) { c.Userinfo = UserinfoOn })
	s.issuer.userinfo = object{"sub": testSubject, "employee": big, "https://example.com/groups": []string{"admin"}}
	wantAttributes(t, s.mustSignIn(t), []claims.Attribute{
		attribute("groups", claims.Userinfo, "https://example.com/groups"), attribute("employee", claims.Userinfo, "employee"),
	}, map[string]any{"groups": []any{"admin"}, "employee": big}, nil)
}

// That an attribute of userinfo needs the option is refused at load, by
// whoever reads the configuration. The connection's part: without the
// option the endpoint has a better answer than none, and is not asked.
func TestM55_UserinfoIsAskedOnlyIfEnabled(t *testing.T) {
	attributes := []claims.Attribute{attribute("plan", claims.Userinfo, "plan")}
	for _, c := range []struct {
		mode   UserinfoMode
		calls  int
		want   map[string]any
		absent map[string]claims.Reason
	}{
		{UserinfoOff, 0, map[string]any{}, map[string]claims.Reason{"plan": claims.UserinfoFailed}},
		{UserinfoOn, 1, map[string]any{"plan": "gold"}, nil},
		{UserinfoOptional, 1, map[string]any{"plan": "gold"}, nil},
	} {
		t.Run("userinfo "+string(c.mode), func(t *testing.T) {
			s := newSetup(t, func(cfg *Config) { cfg.Userinfo = c.mode })
			wantAttributes(t, s.mustSignIn(t), attributes, c.want, c.absent)
			if n := s.issuer.count(pathUserinfo); n != c.calls {
				t.Errorf("%d calls, want %d", n, c.calls)
			}
		})
	}
}

// Three documents disagree. Each attribute has its own source's value, and
// what its source lacks is not taken from where it is.
func TestM56_SameNameInSeveralSources(t *testing.T) {
	s := newSetup(t, func(c *Config) { c.Userinfo, c.Audience = UserinfoOn, testAPI })
	now := s.clock.now().Unix()
	s.issuer.claims = func(c object) { c["plan"], c["only_id_token"] = "of the ID token", 1 }
	s.issuer.userinfo = object{"sub": testSubject, "plan": "of userinfo", "only_userinfo": 1}
	s.issuer.access = rsaKey().jwt(nil, object{
		"iss": s.issuer.id, "sub": testSubject, "aud": testAPI, "azp": testClient, "exp": now + 3600,
		"plan": "of the access token", "only_access_token": 1,
	})
	sources := map[claims.Source]string{
		claims.IDToken: "of the ID token", claims.Userinfo: "of userinfo", claims.AccessToken: "of the access token",
	}
	var attributes []claims.Attribute
	want, absent := map[string]any{}, map[string]claims.Reason{}
	for source, plan := range sources {
		name := string(source)
		attributes = append(attributes, attribute(name, source, "plan"))
		want[name] = plan
		for only := range sources {
			if only != source {
				attributes = append(attributes, attribute(name+" lacks "+string(only), source, "only_"+string(only)))
				absent[name+" lacks "+string(only)] = claims.AbsentUpstream
			}
		}
	}
	wantAttributes(t, s.mustSignIn(t), attributes, want, absent)
}
