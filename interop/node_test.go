package interop_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/interop"
)

// Nothing listens there: tests stop at the redirect to it.
const callback = "http://127.0.0.1:9/callback"

var upstreamClient = map[string]any{
	"client_id":                  "broker",
	"client_secret":              "not-a-secret",
	"redirect_uris":              []string{callback},
	"post_logout_redirect_uris":  []string{"http://127.0.0.1:9/signed-out"},
	"grant_types":                []string{"authorization_code", "refresh_token"},
	"token_endpoint_auth_method": "client_secret_post",
}

var publicClient = map[string]any{
	"client_id":                  "desktop",
	"redirect_uris":              []string{callback},
	"token_endpoint_auth_method": "none",
}

// signedIn is what the relying parties report after a sign-in.
type signedIn struct {
	Claims   map[string]any
	Userinfo map[string]any
	Tokens   struct {
		AccessToken  string `json:"access_token"`
		IDToken      string `json:"id_token"`
		RefreshToken string `json:"refresh_token"`
	}
}

// The two ends of the interop tests are first tried on one another: what the
// broker is later blamed for must not be a fault of the scripts.
func TestOpenIDClientSignsInAtUpstream(t *testing.T) {
	issuer := startUpstream(t, upstreamClient)
	rp := startOpenIDClient(t, issuer)
	client := interop.NewClient(t, callback)

	got := signIn(t, rp, client, map[string]any{"scope": "openid profile email offline_access"})

	t.Run("claims by scope in the ID token and at userinfo", func(t *testing.T) {
		want := map[string]any{
			"sub":                        "auth0|ada",
			"name":                       "Ada Example",
			"email":                      "ada@example.com",
			"email_verified":             true,
			"updated_at":                 "2026-01-02T03:04:05.678Z",
			"https://example.com/groups": []any{"staff", "admin"},
		}
		for claim, value := range want {
			if diff := cmp.Diff(value, got.Claims[claim]); diff != "" {
				t.Errorf("ID token, %s (-want +got):\n%s", claim, diff)
			}
			if diff := cmp.Diff(value, got.Userinfo[claim]); diff != "" {
				t.Errorf("userinfo, %s (-want +got):\n%s", claim, diff)
			}
		}
		if got.Claims["iss"] != issuer || !strings.HasSuffix(issuer, "/") {
			t.Errorf("ID token has iss %v, want %s with a slash at its end", got.Claims["iss"], issuer)
		}
		if sid, _ := got.Claims["sid"].(string); sid == "" {
			t.Errorf("ID token has no sid: %v", got.Claims)
		}
		if amr, found := got.Claims["amr"]; found {
			t.Errorf("ID token has amr %v without a second factor", amr)
		}
	})

	t.Run("refresh rotates the token", func(t *testing.T) {
		var renewed signedIn
		rp.MustCall(t, "refresh", nil, &renewed)
		if before, after := got.Tokens.RefreshToken, renewed.Tokens.RefreshToken; after == "" || before == after {
			t.Errorf("refresh token before %t, after %t, same %t; want another one",
				before != "", after != "", before == after)
		}
		err := rp.Call("refresh", map[string]string{"token": got.Tokens.RefreshToken}, nil)
		var refused *interop.NodeError
		if !errors.As(err, &refused) || refused.OAuthError != "invalid_grant" {
			t.Errorf("the rotated token returned %v, want invalid_grant", err)
		}
	})

	t.Run("the session signs in again without a page", func(t *testing.T) {
		response := authorize(t, rp, client, nil)
		var again signedIn
		rp.MustCall(t, "finish", map[string]string{"callback": interop.Callback(t, response)}, &again)
		if again.Claims["sid"] != got.Claims["sid"] {
			t.Errorf("second ID token has sid %v, want that of the session, %v", again.Claims["sid"], got.Claims["sid"])
		}
	})

	t.Run("logout returns to the registered address", func(t *testing.T) {
		var logout struct{ URL string }
		rp.MustCall(t, "end_session", map[string]string{
			"post_logout_redirect_uri": "http://127.0.0.1:9/signed-out",
			"state":                    "after-logout",
		}, &logout)
		back := interop.NewClient(t, "http://127.0.0.1:9/")
		back.Jar = client.Jar
		page, err := back.Get(logout.URL)
		if err != nil {
			t.Fatal(err)
		}
		response := interop.Submit(t, back, page, "op.logoutForm", "tenant-logout", nil)
		if got, want := interop.Callback(t, response), "http://127.0.0.1:9/signed-out?state=after-logout"; got != want {
			t.Errorf("logout led to %s, want %s", got, want)
		}
	})
}

func TestOpenIDClientVerifiesAccessToken(t *testing.T) {
	const api = "https://api.example.com"
	rp := startOpenIDClient(t, startUpstream(t, upstreamClient))
	response := authorize(t, rp, interop.NewClient(t, callback), map[string]any{
		"params": map[string]string{"audience": api},
	})
	var got signedIn
	rp.MustCall(t, "finish", map[string]any{
		"callback": interop.Callback(t, response), "skip_userinfo": true,
	}, &got)

	var verified struct{ Claims map[string]any }
	token := got.Tokens.AccessToken
	rp.MustCall(t, "verify", map[string]string{"token": token, "audience": api}, &verified)
	if verified.Claims["sub"] != "auth0|ada" {
		t.Errorf("verified claims %v, want those of auth0|ada", verified.Claims)
	}
	if err := rp.Call("verify", map[string]string{"token": token, "audience": "another"}, nil); err == nil {
		t.Error("a token for another audience was accepted")
	}
	forged := token[:len(token)-8] + "AAAAAAAA"
	if err := rp.Call("verify", map[string]string{"token": forged, "audience": api}, nil); err == nil {
		t.Error("a token with a forged signature was accepted")
	}
}

func TestUpstreamTellsSecondFactor(t *testing.T) {
	upstream := interop.StartNode(t, "upstream.mjs", map[string]any{
		"clients": []any{upstreamClient},
		"users": map[string]any{"ada@example.com": map[string]any{
			"password": "not-a-secret", "mfa": true, "claims": map[string]any{"sub": "auth0|ada"},
		}},
	})
	rp := startOpenIDClient(t, announcedIssuer(t, upstream))
	got := signIn(t, rp, interop.NewClient(t, callback), map[string]any{
		"params": map[string]string{"max_age": "3600"},
	})
	if diff := cmp.Diff([]any{"mfa"}, got.Claims["amr"]); diff != "" {
		t.Errorf("amr (-want +got):\n%s", diff)
	}
	if _, found := got.Claims["auth_time"].(float64); !found {
		t.Errorf("ID token has no auth_time although max_age was sent: %v", got.Claims)
	}
}

func TestPublicClientSignsInAtUpstream(t *testing.T) {
	issuer := startUpstream(t, publicClient)
	rp := interop.StartNode(t, "public_rp.mjs", map[string]any{
		"issuer": issuer, "client_id": "desktop", "redirect_uri": callback,
	})
	got := signIn(t, rp, interop.NewClient(t, callback), map[string]any{"scope": "openid email"})
	if got.Claims["email"] != "ada@example.com" || got.Userinfo["email"] != "ada@example.com" {
		t.Errorf("claims %v, userinfo %v; want ada@example.com in both", got.Claims, got.Userinfo)
	}
}

func TestUpstreamRefusals(t *testing.T) {
	issuer := startUpstream(t, upstreamClient)
	rp := startOpenIDClient(t, issuer)

	t.Run("wrong password shows the form again", func(t *testing.T) {
		client := interop.NewClient(t, callback)
		var request struct{ URL string }
		rp.MustCall(t, "begin", nil, &request)
		page, err := client.Get(request.URL)
		if err != nil {
			t.Fatal(err)
		}
		again := logIn(t, client, page, "wrong")
		if again.StatusCode != http.StatusBadRequest {
			t.Fatalf("wrong password answered %s, want 400", again.Status)
		}
		if got := interop.Callback(t, logIn(t, client, again, "not-a-secret")); !strings.HasPrefix(got, callback+"?code=") {
			t.Errorf("second try led to %s, want the callback with a code", got)
		}
	})

	t.Run("cancel tells the client access_denied", func(t *testing.T) {
		client := interop.NewClient(t, callback)
		var request struct{ URL string }
		rp.MustCall(t, "begin", nil, &request)
		page, err := client.Get(request.URL)
		if err != nil {
			t.Fatal(err)
		}
		response := interop.Submit(t, client, page, "tenant-login-form", "tenant-cancel", nil)
		err = rp.Call("finish", map[string]string{"callback": interop.Callback(t, response)}, nil)
		var refused *interop.NodeError
		if !errors.As(err, &refused) || refused.OAuthError != "access_denied" {
			t.Errorf("finish returned %v, want access_denied", err)
		}
	})
}

func TestNodeReportsUnknownCommand(t *testing.T) {
	rp := startOpenIDClient(t, startUpstream(t, upstreamClient))
	var refused *interop.NodeError
	if err := rp.Call("no_such_command", nil, nil); !errors.As(err, &refused) {
		t.Errorf("unknown command returned %v, want a NodeError", err)
	}
}

func startUpstream(t *testing.T, clients ...map[string]any) (issuer string) {
	t.Helper()
	upstream := interop.StartNode(t, "upstream.mjs", map[string]any{"clients": clients})
	return announcedIssuer(t, upstream)
}

func announcedIssuer(t *testing.T, n *interop.Node) string {
	t.Helper()
	var ready struct{ Issuer string }
	if err := json.Unmarshal(n.Announcement, &ready); err != nil {
		t.Fatalf("decoding the announcement %s: %v", n.Announcement, err)
	}
	return ready.Issuer
}

func startOpenIDClient(t *testing.T, issuer string) *interop.Node {
	t.Helper()
	return interop.StartNode(t, "rp.mjs", map[string]any{
		"issuer":        issuer,
		"client_id":     "broker",
		"client_secret": "not-a-secret",
		"auth":          "client_secret_post",
		"redirect_uri":  callback,
	})
}

// signIn goes through a whole sign-in, login page included.
func signIn(t *testing.T, rp *interop.Node, client *http.Client, begin map[string]any) signedIn {
	t.Helper()
	var got signedIn
	response := authorize(t, rp, client, begin)
	rp.MustCall(t, "finish", map[string]string{"callback": interop.Callback(t, response)}, &got)
	return got
}

// authorize follows a new authorization request up to its callback, by the
// login page unless the client has a session.
func authorize(t *testing.T, rp *interop.Node, client *http.Client, begin map[string]any) *http.Response {
	t.Helper()
	var request struct{ URL string }
	rp.MustCall(t, "begin", begin, &request)
	response, err := client.Get(request.URL)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode == http.StatusOK {
		return logIn(t, client, response, "not-a-secret")
	}
	return response
}

func logIn(t *testing.T, client *http.Client, page *http.Response, password string) *http.Response {
	t.Helper()
	return interop.Submit(t, client, page, "tenant-login-form", "tenant-login", map[string]string{
		"username": "ada@example.com", "password": password,
	})
}
