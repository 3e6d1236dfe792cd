package token

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

func TestMint_AccessToken(t *testing.T) {
	m := newMinter(t, storetest.NewClock())
	tokens := mint(t, m, authorization("openid", "profile", "email"), client())
	header, got := verify(t, m.Keys, tokens.AccessToken, ES256)
	if typ := header.ExtraHeaders["typ"]; typ != "at+jwt" {
		t.Errorf("typ %q, want at+jwt", typ)
	}
	want := golden(t, `{
		"iss": "https://auth.example.com", "sub": "subject-1", "aud": "https://auth.example.com",
		"client_id": "web", "iat": 1767268800, "nbf": 1767268800, "exp": 1767269400,
		"jti": "jti-1", "scope": "openid profile email",
		"auth_time": 1767265200, "amr": ["pwd", "mfa"], "acr": "urn:mfa", "idp": "staff"
	}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMint_IDToken(t *testing.T) {
	for _, alg := range []string{RS256, ES256} {
		t.Run(alg, func(t *testing.T) {
			m, c := newMinter(t, storetest.NewClock()), client()
			c.IDTokenAlg = alg
			tokens := mint(t, m, authorization("openid"), c)
			header, got := verify(t, m.Keys, tokens.IDToken, alg)
			if typ := header.ExtraHeaders["typ"]; typ != "JWT" {
				t.Errorf("typ %q, want JWT", typ)
			}
			if jti, _ := got["jti"].(string); len(jti) != 43 || jti == "jti-1" {
				t.Errorf("jti %q; want one of its own", jti)
			}
			delete(got, "jti")
			sum := sha256.Sum256([]byte(tokens.AccessToken))
			want := golden(t, `{
				"iss": "https://auth.example.com", "sub": "subject-1", "aud": "web",
				"iat": 1767268800, "exp": 1767269400, "auth_time": 1767265200,
				"nonce": "nonce-1", "sid": "sid-1", "amr": ["pwd", "mfa"], "acr": "urn:mfa"
			}`)
			want["at_hash"] = base64.RawURLEncoding.EncodeToString(sum[:sha256.Size/2])
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// OpenID Connect Core, A.3 shows the hash of this access token.
func TestATHash(t *testing.T) {
	if got, want := atHash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ"; got != want {
		t.Errorf("at_hash %s, want %s", got, want)
	}
}

func TestMint_ClaimsFollowScopes(t *testing.T) {
	for name, tc := range map[string]struct {
		scopes []string
		want   string
	}{
		"openid alone": {[]string{"openid"}, `{}`},
		"email":        {[]string{"openid", "email"}, `{"email": "ada@example.com", "email_verified": true}`},
		"profile":      {[]string{"openid", "profile"}, `{"name": "Ada", "updated_at": 9007199254740993}`},
		"address":      {[]string{"openid", "address"}, `{"address": {"country": "GB"}}`},
		"phone":        {[]string{"openid", "phone"}, `{"phone_number": "+44 0"}`},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMinter(t, storetest.NewClock())
			a := authorization(tc.scopes...)
			_, got := verify(t, m.Keys, mint(t, m, a, client()).IDToken, RS256)
			for _, protocol := range []string{"iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "at_hash", "sid", "jti", "amr", "acr"} {
				delete(got, protocol)
			}
			if diff := cmp.Diff(golden(t, tc.want), got); diff != "" {
				t.Errorf("ID token: %s", diff)
			}
			if diff := cmp.Diff(golden(t, tc.want), m.UserClaims(a)); diff != "" {
				t.Errorf("userinfo: %s", diff)
			}
		})
	}
}

func TestM22_NoIDTokenWithoutOpenID(t *testing.T) {
	m := newMinter(t, storetest.NewClock())
	for _, scopes := range [][]string{nil, {"profile", "email"}, {"OpenID"}, {"openid:x"}} {
		tokens := mint(t, m, authorization(scopes...), client())
		if tokens.IDToken != "" || tokens.AccessToken == "" {
			t.Errorf("scopes %q: access token %v, ID token %v", scopes, tokens.AccessToken != "", tokens.IDToken != "")
		}
	}
}

// What upstream leaves out must not appear as an empty claim.
func TestMint_AbsentValues(t *testing.T) {
	m, a := newMinter(t, storetest.NewClock()), authorization("openid")
	a.Nonce, a.Context.AMR, a.Context.ACR = "", nil, ""
	tokens := mint(t, m, a, client())
	for alg, raw := range map[string]string{ES256: tokens.AccessToken, RS256: tokens.IDToken} {
		_, got := verify(t, m.Keys, raw, alg)
		for _, name := range []string{"nonce", "amr", "acr"} {
			if v, present := got[name]; present {
				t.Errorf("%s token has %s: %v", alg, name, v)
			}
		}
	}
}

// The operator maps what upstream says; the person upstream must not choose
// their subject, client, scope or expiry by it.
func TestMint_DeclaredClaimCannotReplaceProtocolClaim(t *testing.T) {
	names := []string{
		"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "auth_time", "amr", "acr",
		"client_id", "scope", "idp", "nonce", "at_hash", "sid", "cnf", "act",
	}
	plain, hostile := newMinter(t, storetest.NewClock()), newMinter(t, storetest.NewClock())
	hostile.Keys, hostile.Claims, plain.Claims = plain.Keys, nil, nil
	a := authorization("openid")
	for _, name := range names {
		a.Context.Attributes[name] = "forged"
		a.Context.Attributes["user_"+name] = "forged"
		hostile.Claims = append(hostile.Claims, claims.Claim{
			Name: name, Types: []claims.TokenType{claims.IDToken, claims.AccessToken}, From: claims.Key("user_" + name),
		})
	}
	for _, nonce := range []string{"nonce-1", ""} {
		a.Nonce = nonce
		want, got := mint(t, plain, a, client()), mint(t, hostile, a, client())
		for alg, pair := range map[string][2]string{
			ES256: {want.AccessToken, got.AccessToken},
			RS256: {want.IDToken, got.IDToken},
		} {
			_, wanted := verify(t, plain.Keys, pair[0], alg)
			_, minted := verify(t, plain.Keys, pair[1], alg)
			if alg == RS256 {
				for _, random := range []string{"jti", "at_hash"} {
					if minted[random] == "forged" {
						t.Errorf("%s is forged", random)
					}
					delete(wanted, random)
					delete(minted, random)
				}
			}
			if diff := cmp.Diff(wanted, minted); diff != "" {
				t.Errorf("%s token, nonce %q: %s", alg, nonce, diff)
			}
		}
	}
}

// setOnce is the second fence, behind claims.Release.
func TestSetOnce(t *testing.T) {
	out := map[string]any{"iss": issuer, "acr": ""}
	setOnce(out, "iss", "forged")
	setOnce(out, "acr", "forged")
	setOnce(out, "department", "engines")
	if diff := cmp.Diff(map[string]any{"iss": issuer, "acr": "", "department": "engines"}, out); diff != "" {
		t.Error(diff)
	}
}

func TestMint_DeclaredClaims(t *testing.T) {
	m := newMinter(t, storetest.NewClock())
	m.Claims = []claims.Claim{
		{Name: "https://example.com/department", Types: []claims.TokenType{claims.AccessToken}, From: claims.Key("department")},
		{Name: "upstream_subject", Types: []claims.TokenType{claims.IDToken}, From: claims.Key("idp_sub")},
		{Name: "granted", Types: []claims.TokenType{claims.IDToken}, From: claims.Key("scp")},
		{Name: "secret_department", Types: []claims.TokenType{claims.Userinfo}, From: claims.Key("department")},
	}
	a := authorization("openid")
	tokens := mint(t, m, a, client())
	_, access := verify(t, m.Keys, tokens.AccessToken, ES256)
	_, id := verify(t, m.Keys, tokens.IDToken, RS256)
	if got := access["https://example.com/department"]; got != "engines" {
		t.Errorf("access token: department %v", got)
	}
	if got := id["upstream_subject"]; got != "idp|ada" {
		t.Errorf("ID token: upstream subject %v", got)
	}
	if diff := cmp.Diff([]any{"openid"}, id["granted"]); diff != "" {
		t.Errorf("ID token: granted: %s", diff)
	}
	for name, payload := range map[string]map[string]any{"access": access, "ID": id} {
		if _, present := payload["secret_department"]; present {
			t.Errorf("the %s token holds a claim for userinfo only", name)
		}
	}
	if diff := cmp.Diff([]string{"granted", "secret_department", "upstream_subject"}, sortedNames(m.UserClaims(a))); diff != "" {
		t.Errorf("userinfo: %s", diff)
	}
}

func TestMint_Lifetimes(t *testing.T) {
	const own, ownID, general = time.Minute, 2 * time.Minute, 3 * time.Minute
	for name, tc := range map[string]struct {
		client     *oauth.Client
		general    time.Duration
		access, id time.Duration
	}{
		"default":      {client(), 0, DefaultLifetime, DefaultLifetime},
		"the broker's": {client(), general, general, general},
		"the client's": {&oauth.Client{ID: "web", IDTokenAlg: RS256, AccessLifetime: own, IDLifetime: ownID}, general, own, ownID},
	} {
		t.Run(name, func(t *testing.T) {
			clock := storetest.NewClock()
			m := newMinter(t, clock)
			m.Lifetime = tc.general
			tokens := mint(t, m, authorization("openid"), tc.client)
			if tokens.ExpiresIn != tc.access || !tokens.Expires.Equal(clock.Now().Add(tc.access)) {
				t.Errorf("expires in %v at %v, want %v", tokens.ExpiresIn, tokens.Expires, tc.access)
			}
			_, access := verify(t, m.Keys, tokens.AccessToken, ES256)
			_, id := verify(t, m.Keys, tokens.IDToken, RS256)
			for name, check := range map[string]struct {
				payload map[string]any
				want    time.Duration
			}{"access": {access, tc.access}, "ID": {id, tc.id}} {
				if got := seconds(t, check.payload, "exp") - seconds(t, check.payload, "iat"); got != int64(check.want/time.Second) {
					t.Errorf("%s token lives %d s, want %v", name, got, check.want)
				}
			}
		})
	}
}

func TestMint_Audience(t *testing.T) {
	m, c := newMinter(t, storetest.NewClock()), client()
	c.Audience = "https://app.example.com"
	_, got := verify(t, m.Keys, mint(t, m, authorization("email"), c).AccessToken, ES256)
	if got["aud"] != "https://app.example.com" || m.Audience(c) != "https://app.example.com" {
		t.Errorf("aud %v, Audience %q", got["aud"], m.Audience(c))
	}
}

func TestMint_MakesUpJTI(t *testing.T) {
	m, seen := newMinter(t, storetest.NewClock()), map[any]bool{}
	for range 3 {
		tokens, err := m.Mint(t.Context(), authorization("openid"), client(), "")
		if err != nil {
			t.Fatal(err)
		}
		_, access := verify(t, m.Keys, tokens.AccessToken, ES256)
		_, id := verify(t, m.Keys, tokens.IDToken, RS256)
		seen[access["jti"]], seen[id["jti"]] = true, true
	}
	if len(seen) != 6 || seen[""] || seen[nil] {
		t.Errorf("ids of six tokens: %v", seen)
	}
}

func TestMint_FailsClosed(t *testing.T) {
	m := newMinter(t, storetest.NewClock())
	m.Keys = NewKeys(storetest.Faulty(store.NewMemory(nil), 1))
	if tokens, err := m.Mint(t.Context(), authorization("openid"), client(), ""); err == nil || tokens != (Tokens{}) {
		t.Errorf("without keys: %+v, %v", tokens, err)
	}
	c := client()
	c.IDTokenAlg = "none"
	if tokens, err := newMinter(t, storetest.NewClock()).Mint(t.Context(), authorization("openid"), c, ""); err == nil || tokens != (Tokens{}) {
		t.Errorf("alg none: %+v, %v", tokens, err)
	}
}

func BenchmarkMint(b *testing.B) {
	for _, alg := range []string{ES256, RS256} {
		b.Run(alg, func(b *testing.B) {
			m, a, c := newMinter(b, storetest.NewClock()), authorization("openid", "profile", "email"), client()
			c.IDTokenAlg = alg
			mint(b, m, a, c)
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Mint(ctx, a, c, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A user with a hundred kilobytes of groups gets no token that every server
// refuses, userinfo first of all. Behind a gate there is more to see than
// the token, so the gate goes on without it.
func TestS5_AccessTokenThatNobodyTakes(t *testing.T) {
	m := newMinter(t, storetest.NewClock())
	m.Claims = []claims.Claim{{Name: "department", Types: []claims.TokenType{claims.AccessToken}}}
	a, c := authorization("openid"), client()
	a.Context.Attributes["department"] = strings.Repeat("x", 11<<10)
	if _, err := m.VerifyAccess(t.Context(), mint(t, m, a, c).AccessToken, issuer); err != nil {
		t.Errorf("what was issued is refused: %v", err)
	}
	a.Context.Attributes["department"] = strings.Repeat("x", 13<<10)
	if _, err := m.Mint(t.Context(), a, c, ""); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "userinfo") {
		t.Errorf("error %v, want ErrTooLarge with its cure", err)
	}
	c.Gate = true
	if tokens, err := m.Mint(t.Context(), a, c, ""); err != nil || tokens.IDToken == "" {
		t.Errorf("a gate gets %v", err)
	}
}
