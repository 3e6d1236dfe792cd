package interop_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/interop"
)

const desktopClient = `client desktop {
			name "Notes on the desktop"
			public
			application_type native
			redirect_uris ` + callback + `
		}`

// npm openid-client at our broker, in the browser of somebody whom the gate
// knows already: one sign-in serves both halves, and neither password nor
// user differs.
func TestOpenIDClientSignsInAtBroker(t *testing.T) {
	in := install(t, setup{})
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	in.enter(t, b, "/orders?id=7")
	rp := in.startOpenIDClient(t)

	got := in.signIn(t, rp, b, true)

	atGate := in.last(t)
	idToken := payload(t, atGate.Get("X-Id-Token"))
	for claim, want := range map[string]any{
		"iss": in.issuer, "aud": "notes", "sub": atGate.Get("Remote-User"), "sid": idToken["sid"],
		"name": "Ada Example", "email": "ada@example.com", "email_verified": true,
	} {
		if diff := cmp.Diff(want, got.Claims[claim]); diff != "" {
			t.Errorf("ID token, %s (-want +got):\n%s", claim, diff)
		}
	}
	for _, claim := range []string{"sub", "name", "email", "email_verified", "updated_at"} {
		if diff := cmp.Diff(got.Claims[claim], got.Userinfo[claim]); diff != "" {
			t.Errorf("userinfo differs from the ID token in %s (-ID token +userinfo):\n%s", claim, diff)
		}
	}

	t.Run("the second time nothing is asked", func(t *testing.T) {
		again := in.signIn(t, rp, b, false)
		if again.Claims["sub"] != got.Claims["sub"] || again.Claims["auth_time"] != got.Claims["auth_time"] {
			t.Errorf("claims %v, want the same user and sign-in as %v", again.Claims, got.Claims)
		}
	})

	t.Run("the gate's access token verifies as in the README", func(t *testing.T) {
		token := strings.TrimPrefix(atGate.Get("Authorization"), "Bearer ")
		options := map[string]any{
			"token": token, "audience": in.site, "typ": "at+jwt", "algorithms": []string{"ES256"},
		}
		var verified struct{ Claims map[string]any }
		rp.MustCall(t, "verify", options, &verified)
		if verified.Claims["sub"] != atGate.Get("Remote-User") {
			t.Errorf("sub %v, want that of Remote-User, %s", verified.Claims["sub"], atGate.Get("Remote-User"))
		}
		// Neither may pass for the other: an ID token is no permission,
		// and what is for one site is for no other.
		options["audience"] = in.issuer
		if err := rp.Call("verify", options, nil); err == nil {
			t.Error("accepted for another audience")
		}
		options["audience"], options["token"] = in.site, atGate.Get("X-Id-Token")
		if err := rp.Call("verify", options, nil); err == nil {
			t.Error("an ID token was accepted as an access token")
		}
	})
}

// npm oauth4webapi as an application without a secret, signing in at a
// broker that has not seen the browser before.
func TestPublicClientSignsInAtBroker(t *testing.T) {
	in := install(t, setup{clients: desktopClient})
	rp := interop.StartNode(t, "public_rp.mjs", map[string]any{
		"issuer": in.issuer, "client_id": "desktop", "redirect_uri": callback,
	})
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})

	got := in.signIn(t, rp, b, true)
	if got.Claims["email"] != "ada@example.com" || got.Userinfo["email"] != "ada@example.com" {
		t.Errorf("claims %v, userinfo %v; want ada@example.com in both", got.Claims, got.Userinfo)
	}

	t.Run("an answer of another issuer is refused", func(t *testing.T) {
		address := in.authorize(t, rp, b, false)
		mixed := strings.Replace(address, "iss="+url.QueryEscape(in.issuer), "iss="+url.QueryEscape("https://attacker.example.com"), 1)
		if mixed == address {
			t.Fatalf("the answer names no issuer: %s", address)
		}
		if err := rp.Call("finish", map[string]string{"callback": mixed}, nil); err == nil {
			t.Error("the client accepted it")
		}
	})

	t.Run("cancelling tells the client", func(t *testing.T) {
		other := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
		other.StopBefore = callback
		var request struct{ URL string }
		rp.MustCall(t, "begin", map[string]string{"scope": "openid"}, &request)
		other.Get(request.URL)
		other.SignIn("grace")
		page := other.Click("consent-deny")
		if page.Location == nil {
			t.Fatalf("cancelling led to %s, want the client", page)
		}
		err := rp.Call("finish", map[string]string{"callback": page.Location.String()}, nil)
		var refused *interop.NodeError
		if !errors.As(err, &refused) || refused.OAuthError != "access_denied" {
			t.Errorf("finish returned %v, want access_denied", err)
		}
	})
}

// Two certified implementations from npm, one at each side of the broker.
func TestM66_ClaimsOfOIDCProviderArrive(t *testing.T) {
	issuer := "http://" + freeAddr(t)
	upstream := startUpstream(t, map[string]any{
		"client_id": "broker", "client_secret": upstreamSecret,
		"redirect_uris":              []string{issuer + "/oauth2/callback/auth0"},
		"token_endpoint_auth_method": "client_secret_post",
	})
	domain := strings.TrimSuffix(strings.TrimPrefix(upstream, "http://"), "/")
	in := install(t, setup{issuer: issuer, provider: "provider auth0 " + domain + " broker {env.UPSTREAM_SECRET}"})
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})

	if page := b.Get(in.site + "/orders?id=7"); !page.Has("tenant-login") {
		t.Fatalf("no login page of the upstream: %s\n%s", page, page.Body)
	}
	b.Fill("username", "ada@example.com")
	b.Fill("password", "not-a-secret")
	page := b.Click("tenant-login")
	if !page.Has("consent-allow") {
		t.Fatalf("no consent page: %s\n%s", page, page.Body)
	}
	if page = b.Click("consent-allow"); page.URL.String() != in.site+"/orders?id=7" || !page.Has("app") {
		t.Fatalf("consent led to %s, want the page that was asked for:\n%s", page, page.Body)
	}

	got := in.last(t)
	for name, want := range map[string]string{"Remote-Name": "Ada Example", "Remote-Email": "ada@example.com"} {
		if got.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, got.Get(name), want)
		}
	}
	idToken := payload(t, got.Get("X-Id-Token"))
	for claim, want := range map[string]any{
		"name": "Ada Example", "given_name": "Ada", "family_name": "Example", "nickname": "ada",
		"picture": "https://example.com/ada.png", "email": "ada@example.com", "email_verified": true,
		// The upstream says "2026-01-02T03:04:05.678Z".
		"updated_at": float64(brokertest.Epoch.Unix()),
	} {
		if diff := cmp.Diff(want, idToken[claim]); diff != "" {
			t.Errorf("ID token, %s (-want +got):\n%s", claim, diff)
		}
	}
	if _, found := idToken["https://example.com/groups"]; found {
		t.Error("a custom claim arrives that nobody has declared")
	}
	// To whom the upstream's own identifier goes is not for it to decide.
	if idToken["sub"] == "auth0|ada" || idToken["sub"] != got.Get("Remote-User") {
		t.Errorf("sub %v, want the broker's own, as in Remote-User: %s", idToken["sub"], got.Get("Remote-User"))
	}

	rp := in.startOpenIDClient(t)
	if claims := in.signIn(t, rp, b, true).Claims; claims["sub"] != idToken["sub"] || claims["updated_at"] != idToken["updated_at"] {
		t.Errorf("the client gets %v, want the user that the gate knows: %v", claims, idToken)
	}
}

func (in *installation) startOpenIDClient(t *testing.T) *interop.Node {
	t.Helper()
	return interop.StartNode(t, "rp.mjs", map[string]any{
		"issuer": in.issuer, "client_id": "notes", "client_secret": clientSecret, "redirect_uri": callback,
	})
}

// signIn takes a browser through a sign-in of the relying party.
func (in *installation) signIn(t *testing.T, rp *interop.Node, b *brokertest.Browser, consent bool) signedIn {
	t.Helper()
	var got signedIn
	rp.MustCall(t, "finish", map[string]string{"callback": in.authorize(t, rp, b, consent)}, &got)
	return got
}

// authorize takes a browser through an authorization request, up to the
// callback that it returns. A password is asked for only of browsers that
// the tenant has not seen, and consent as told.
func (in *installation) authorize(t *testing.T, rp *interop.Node, b *brokertest.Browser, consent bool) string {
	t.Helper()
	b.StopBefore = callback
	known := in.tenant == nil || len(b.Cookies(in.tenant.Issuer())) > 0
	var request struct{ URL string }
	rp.MustCall(t, "begin", map[string]string{"scope": "openid profile email"}, &request)
	page := b.Get(request.URL)
	if asked := page.Has("tenant-login-form"); asked == known {
		t.Fatalf("a password is asked for %t, the tenant knows the browser %t: %s", asked, known, page)
	} else if asked {
		page = b.SignIn("ada")
	}
	if asked := page.Has("consent-form"); asked != consent {
		t.Fatalf("consent is asked for %t, want %t: %s\n%s", asked, consent, page, page.Body)
	} else if asked {
		page = b.Click("consent-allow")
	}
	if page.Location == nil || page.Status != http.StatusSeeOther && page.Status != http.StatusFound {
		t.Fatalf("the request led to %s, want the client:\n%s", page, page.Body)
	}
	return page.Location.String()
}

// payload decodes a token without verifying it.
func payload(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %q", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
