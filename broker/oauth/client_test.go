package oauth

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// confidential returns a client that validates.
func confidential() *Client {
	return &Client{
		ID: "web", RedirectURIs: []string{registeredURI},
		Secrets: [][32]byte{HashSecret("not-a-secret")},
	}
}

func TestClient_Validate_Defaults(t *testing.T) {
	c := confidential()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	want := confidential()
	want.Scopes = []string{"openid", "profile", "email"}
	want.Consent = ConsentRemember
	want.Grants = []string{GrantAuthorizationCode, GrantRefreshToken}
	want.IDTokenAlg = "RS256"
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	c.Scopes[0] = "changed"
	if DefaultScopes[0] != ScopeOpenID {
		t.Error("the client's scopes share memory with the defaults")
	}
	gate := confidential()
	gate.Gate, gate.Secrets = true, nil
	if err := gate.Validate(); err != nil || gate.MayGrant(GrantRefreshToken) {
		t.Errorf("a gate's client: grants %v, %v", gate.Grants, err)
	}
}

func TestClient_Validate_Accepts(t *testing.T) {
	for name, change := range map[string]func(*Client){
		"public":                 func(c *Client) { c.Public, c.Secrets = true, nil },
		"gate without secret":    func(c *Client) { c.Gate, c.Secrets = true, nil },
		"two secrets":            func(c *Client) { c.Secrets = append(c.Secrets, HashSecret("next")) },
		"basic":                  func(c *Client) { c.AuthMethod = AuthBasic },
		"post":                   func(c *Client) { c.AuthMethod = AuthPost },
		"pkce optional":          func(c *Client) { c.PKCEOptional = true },
		"longest id":             func(c *Client) { c.ID = strings.Repeat("c", 128) },
		"required among scopes":  func(c *Client) { c.Scopes, c.RequiredScopes = []string{"a", "b"}, []string{"b"} },
		"required among default": func(c *Client) { c.RequiredScopes = []string{"email"} },
		"trusted":                func(c *Client) { c.Consent = ConsentTrusted },
		"always":                 func(c *Client) { c.Consent = ConsentAlways },
		"ES256":                  func(c *Client) { c.IDTokenAlg = "ES256" },
	} {
		t.Run(name, func(t *testing.T) {
			c := confidential()
			change(c)
			if err := c.Validate(); err != nil {
				t.Error(err)
			}
			if c.Public != (c.AuthMethod == AuthNone) {
				t.Errorf("public %v has authentication method %q", c.Public, c.AuthMethod)
			}
		})
	}
}

func TestClient_Validate_Refuses(t *testing.T) {
	for want, change := range map[string]func(*Client){
		"client: id must have 1 to 128 characters":                                  func(c *Client) { c.ID = "" },
		"client: id must have 1 to 128 characters ":                                 func(c *Client) { c.ID = strings.Repeat("c", 129) },
		`client "a b": id must be printable ASCII without spaces`:                   func(c *Client) { c.ID = "a b" },
		`client "a\nb": id must be printable ASCII without spaces`:                  func(c *Client) { c.ID = "a\nb" },
		`client "ä": id must be printable ASCII without spaces`:                     func(c *Client) { c.ID = "ä" },
		"client web: redirect_uris is missing; name at least one address":           func(c *Client) { c.RedirectURIs = nil },
		`client web: redirect_uris "http://app.example.com/": must be https`:        func(c *Client) { c.RedirectURIs[0] = "http://app.example.com/" },
		`client web: redirect_uris "javascript:x": must be https`:                   func(c *Client) { c.RedirectURIs = append(c.RedirectURIs, "javascript:x") },
		"client web: grants: refresh_token comes after authorization_code":          func(c *Client) { c.Grants = []string{GrantRefreshToken} },
		`client web: scopes: "a b" is not a scope name`:                             func(c *Client) { c.Scopes = []string{"openid", "a b"} },
		`client web: scopes: "" is not a scope name`:                                func(c *Client) { c.Scopes = []string{""} },
		"client web: required_scopes must be among scopes [openid]":                 func(c *Client) { c.Scopes, c.RequiredScopes = []string{"openid"}, []string{"email"} },
		`client web: consent "never": use remember, always or trusted`:              func(c *Client) { c.Consent = "never" },
		`client web: id_token_signed_response_alg "none": use RS256 or ES256`:       func(c *Client) { c.IDTokenAlg = "none" },
		`client web: id_token_signed_response_alg "HS256": use RS256 or ES256`:      func(c *Client) { c.IDTokenAlg = "HS256" },
		"client web: is public, so it cannot have a secret; remove one of the two":  func(c *Client) { c.Public = true },
		"client web: is public, so pkce cannot be optional":                         func(c *Client) { c.Public, c.Secrets, c.PKCEOptional = true, nil, true },
		"client web: secret is missing; give one by {env.NAME} or {file.PATH}":      func(c *Client) { c.Secrets = nil },
		"client web: secret: at most two can live at once":                          func(c *Client) { c.Secrets = make([][32]byte, 3) },
		`client web: token_endpoint_auth_method "none": use client_secret_basic or`: func(c *Client) { c.AuthMethod = AuthNone },
		`client web: token_endpoint_auth_method "tls": use client_secret_basic or`:  func(c *Client) { c.AuthMethod = "tls" },
	} {
		t.Run(want, func(t *testing.T) {
			c := confidential()
			change(c)
			err := c.Validate()
			if err == nil || !strings.HasPrefix(err.Error(), strings.TrimSpace(want)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestS73_TwoLiveSecrets(t *testing.T) {
	c := confidential()
	c.Secrets = [][32]byte{HashSecret("old-not-a-secret"), HashSecret("new-not-a-secret")}
	for secret, want := range map[string]bool{
		"old-not-a-secret":                 true,
		"new-not-a-secret":                 true,
		"":                                 false,
		"old-not-a-secre":                  false,
		"old-not-a-secret ":                false,
		"OLD-not-a-secret":                 false,
		"old-not-a-secretnew-not-a-secret": false,
		string(c.Secrets[0][:]):            false, // the hash, as a thief of the configuration has it
	} {
		if got := c.CheckSecret(secret); got != want {
			t.Errorf("CheckSecret(%q) = %v", secret, got)
		}
	}
	c.Secrets = c.Secrets[1:]
	if c.CheckSecret("old-not-a-secret") {
		t.Error("the old secret outlives its removal")
	}
	c.Secrets = nil
	if c.CheckSecret("") {
		t.Error("no secret at all matches the empty one")
	}
}

func TestClient_MayUse(t *testing.T) {
	c := confidential()
	if !c.MayUse("staff") {
		t.Error("a client that names no connection refuses one")
	}
	c.Connections = []string{"staff"}
	if !c.MayUse("staff") || c.MayUse("Staff") || c.MayUse("guests") || c.MayUse("") {
		t.Error("MayUse disagrees with the list [staff]")
	}
}

func TestClient_DisplayName(t *testing.T) {
	c := confidential()
	if got := c.DisplayName(); got != "web" {
		t.Errorf("without a name: %q", got)
	}
	c.Name = "The Shop"
	if got := c.DisplayName(); got != "The Shop" {
		t.Errorf("with a name: %q", got)
	}
}

func TestError(t *testing.T) {
	for want, err := range map[string]*Error{
		"invalid_grant":           {Code: InvalidGrant},
		"invalid_grant: is spent": {Code: InvalidGrant, Description: "is spent"},
	} {
		if err.Error() != want || err.HTTPStatus() != 400 {
			t.Errorf("got %q, %d; want %q, 400", err.Error(), err.HTTPStatus(), want)
		}
	}
	if got := (&Error{Code: InvalidClient, Status: 401}).HTTPStatus(); got != 401 {
		t.Errorf("status %d, want 401", got)
	}
}
