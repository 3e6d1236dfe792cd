package brokertest_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestClientAuthentication(t *testing.T) {
	basic := application()
	basic.ID, basic.Secret, basic.AuthMethod = "ba sic", "a:b%c+d", "client_secret_basic"
	public := application()
	public.ID, public.Secret, public.AuthMethod = "public", "", "none"
	either := application()
	tenant, _, b := start(t, brokertest.Options{Clients: []brokertest.Client{either, basic, public}})
	for name, test := range map[string]struct {
		client brokertest.Client
		style  oauth2.AuthStyle
		ok     bool
	}{
		"either, post":      {either, oauth2.AuthStyleInParams, true},
		"either, basic":     {either, oauth2.AuthStyleInHeader, true},
		"basic only, basic": {basic, oauth2.AuthStyleInHeader, true},
		"basic only, post":  {basic, oauth2.AuthStyleInParams, false},
		"public":            {public, oauth2.AuthStyleInParams, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newParty(t, tenant, test.client)
			p.config.Endpoint.AuthStyle = test.style
			page := b.Get(p.authorizeURL())
			if page.Has("tenant-login-form") {
				page = b.SignIn("ada")
			}
			if _, err := p.redeem(page); (err == nil) != test.ok {
				t.Errorf("got error %v, want success %v", err, test.ok)
			}
		})
	}
	t.Run("a public client must use PKCE", func(t *testing.T) {
		page := b.Get(newParty(t, tenant, public).authorizeURL("code_challenge", "", "code_challenge_method", ""))
		if got := page.Location.Query().Get("error"); got != "invalid_request" {
			t.Errorf("got %q", got)
		}
	})
}

func TestPrivateKeyJWT(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := application()
	c.AuthMethod, c.Secret = "private_key_jwt", ""
	c.Keys = &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}}
	clock := new(brokertest.Clock)
	tenant, p, b := start(t, brokertest.Options{Now: clock.Now, Clients: []brokertest.Client{c}})
	p.signInFails(b)

	sign := func(alg jose.SignatureAlgorithm, kid string, key *rsa.PrivateKey, claims map[string]any) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	right := func() map[string]any {
		return map[string]any{
			"iss": c.ID, "sub": c.ID, "aud": tenant.Issuer(), "jti": rand.Text(),
			"iat": clock.Now().Unix(), "exp": clock.Now().Add(time.Minute).Unix(),
		}
	}
	send := func(assertion string, change func(url.Values)) int {
		form := p.tokenForm(p.code(b.Get(p.authorizeURL())))
		form.Del("client_secret")
		form.Set("client_assertion", assertion)
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		change(form)
		resp, _ := post(t, tenant, "oauth/token", form)
		return resp.StatusCode
	}
	unchanged := func(url.Values) {}
	redeem := func(claims map[string]any) int { return send(sign(jose.RS256, "k", key, claims), unchanged) }
	if got := redeem(right()); got != http.StatusOK {
		t.Errorf("right: got status %d", got)
	}
	replayed := right()
	redeem(replayed)
	if got := redeem(replayed); got != http.StatusUnauthorized {
		t.Errorf("jti used twice: got status %d", got)
	}
	for name, change := range map[string]func(map[string]any){
		"audience without slash":  func(m map[string]any) { m["aud"] = strings.TrimSuffix(tenant.Issuer(), "/") },
		"audience is an array":    func(m map[string]any) { m["aud"] = []string{tenant.Issuer()} },
		"audience is an endpoint": func(m map[string]any) { m["aud"] = tenant.Issuer() + "oauth/token" },
		"no jti":                  func(m map[string]any) { delete(m, "jti") },
		"expired":                 func(m map[string]any) { m["exp"] = clock.Now().Add(-11 * time.Second).Unix() },
		"lives too long":          func(m map[string]any) { m["exp"] = clock.Now().Add(6 * time.Minute).Unix() },
		"no expiry":               func(m map[string]any) { delete(m, "exp") },
		"other issuer":            func(m map[string]any) { m["iss"] = "other" },
		"other subject":           func(m map[string]any) { m["sub"] = "other" },
		"too long":                func(m map[string]any) { m["x"] = strings.Repeat("x", 2048) },
		"not yet valid":           func(m map[string]any) { m["nbf"] = clock.Now().Add(11 * time.Second).Unix() },
	} {
		m := right()
		change(m)
		if got := redeem(m); got != http.StatusUnauthorized {
			t.Errorf("%s: got status %d, want 401", name, got)
		}
	}
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		assertion string
		change    func(url.Values)
		want      int
	}{
		"no kid":               {sign(jose.RS256, "", key, right()), unchanged, 200},
		"another kid":          {sign(jose.RS256, "other", key, right()), unchanged, 401},
		"another algorithm":    {sign(jose.RS384, "k", key, right()), unchanged, 401},
		"another key":          {sign(jose.RS256, "k", foreign, right()), unchanged, 401},
		"another client_id":    {sign(jose.RS256, "k", key, right()), func(f url.Values) { f.Set("client_id", "other") }, 401},
		"no client_id":         {sign(jose.RS256, "k", key, right()), func(f url.Values) { f.Del("client_id") }, 200},
		"a secret beside it":   {sign(jose.RS256, "k", key, right()), func(f url.Values) { f.Set("client_secret", "x") }, 401},
		"another type":         {sign(jose.RS256, "k", key, right()), func(f url.Values) { f.Set("client_assertion_type", "x") }, 401},
		"no assertion":         {"", func(f url.Values) { f.Del("client_assertion"); f.Del("client_assertion_type") }, 401},
		"an assertion of none": {"eyJhbGciOiJub25lIn0.e30.", unchanged, 401},
	} {
		if got := send(c.assertion, c.change); got != c.want {
			t.Errorf("%s: got status %d, want %d", name, got, c.want)
		}
	}
}

// signInFails signs in the browser; the party cannot redeem the code.
func (p *party) signInFails(b *brokertest.Browser) {
	p.t.Helper()
	b.Get(p.authorizeURL())
	if _, err := p.redeem(b.SignIn("ada")); err == nil {
		p.t.Error("redeemed a code without client authentication")
	}
}
