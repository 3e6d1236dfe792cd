package token

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

func TestMintClient(t *testing.T) {
	m := newMinter(t, storetest.NewClock())
	c := &oauth.Client{ID: "welcome", AccessLifetime: 5 * time.Minute}
	tokens, err := m.MintClient(t.Context(), c, []string{"manage_post_authn", "orders:read"})
	if err != nil {
		t.Fatal(err)
	}
	if tokens.IDToken != "" || tokens.ExpiresIn != 5*time.Minute {
		t.Errorf("ID token %q, expires in %s", tokens.IDToken, tokens.ExpiresIn)
	}
	header, got := verify(t, m.Keys, tokens.AccessToken, ES256)
	if typ := header.ExtraHeaders["typ"]; typ != "at+jwt" {
		t.Errorf("typ %q, want at+jwt", typ)
	}
	if jti, _ := got["jti"].(string); len(jti) != 43 {
		t.Errorf("jti %q", jti)
	}
	delete(got, "jti")
	want := golden(t, `{
		"iss": "https://auth.example.com", "sub": "welcome", "aud": "https://auth.example.com",
		"client_id": "welcome", "iat": 1767268800, "nbf": 1767268800, "exp": 1767269100,
		"scope": "manage_post_authn orders:read"
	}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	access, err := m.VerifyAccess(t.Context(), tokens.AccessToken, issuer)
	if err != nil {
		t.Fatal(err)
	}
	if !access.Own() || !access.Has("orders:read") || access.Has("orders") || access.Has("") {
		t.Errorf("read as %+v", access)
	}
}

// A user is called like the client that the token was issued to.
func TestAccess_UserIsNoClient(t *testing.T) {
	m := newMinter(t, storetest.NewClock())
	a := authorization("openid", "manage_post_authn")
	a.Subject = a.ClientID
	access, err := m.VerifyAccess(t.Context(), mint(t, m, a, client()).AccessToken, issuer)
	if err != nil {
		t.Fatal(err)
	}
	if access.Own() {
		t.Error("a user's token passes for the client's own")
	}
	if !access.Has("manage_post_authn") {
		t.Errorf("scope %q", access.Scope)
	}
}
