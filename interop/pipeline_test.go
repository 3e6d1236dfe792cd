package interop_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/interop"
)

// These tests send one person's data through a real Caddy from two upstreams:
// npm oidc-provider and the stand-in tenant. What comes out must be the same,
// or the broker works with its authors' own idea of an upstream only.

// outputs are what one sign-in told to whom, without what differs between
// any two sign-ins.
type outputs struct {
	IDToken, AccessToken, Userinfo map[string]any
	GateIDToken, GateAccessToken   map[string]any
	Header                         map[string]string
}

func TestM46_M52_M53_M54_SameClaimsFromBothUpstreams(t *testing.T) {
	same := func(s setup) setup { return s }
	standIn, npm := standInTenantWith(t, same), npmProviderWith(t, same)
	fromStandIn, fromNPM := standIn.outputs(t), npm.outputs(t)
	if diff := cmp.Diff(fromStandIn, fromNPM); diff != "" {
		t.Errorf("the upstreams differ (-stand-in tenant +npm oidc-provider):\n%s", diff)
	}
	want := wantedClaims(t)
	for where, got := range map[string]map[string]any{
		"ID token": fromNPM.IDToken, "access token": fromNPM.AccessToken, "userinfo": fromNPM.Userinfo,
		"the gate's ID token": fromNPM.GateIDToken, "the gate's access token": fromNPM.GateAccessToken,
	} {
		custom := map[string]any{}
		for name, v := range got {
			if slices.ContainsFunc(documents, func(d string) bool { return strings.HasPrefix(name, d+"_") }) {
				custom[name] = v
			}
		}
		if diff := cmp.Diff(want, custom); diff != "" {
			t.Errorf("%s, custom claims (-want +got):\n%s", where, diff)
		}
	}
	for _, token := range []map[string]any{fromNPM.IDToken, fromNPM.Userinfo, fromNPM.GateIDToken} {
		if token["updated_at"] != json.Number("1767323045") || token["email_verified"] != true || token["given_name"] != "Ada" {
			t.Errorf("standard claims: %v", token)
		}
	}
	if _, has := fromNPM.AccessToken["email"]; has {
		t.Error("a standard claim is in the access token, where nobody has declared it")
	}
	wantHeaders(t, fromNPM.Header, want)
}

// wantedClaims are the custom claims as every output must have them.
func wantedClaims(t *testing.T) map[string]any {
	t.Helper()
	want := map[string]any{}
	for _, c := range customClaims() {
		for _, document := range documents {
			switch {
			case c.name == "source":
				want[document+"_source"] = document
			case c.want != "":
				want[document+"_"+c.name] = decodeJSON(t, []byte(c.want))
			}
		}
	}
	return want
}

// wantHeaders decodes the headers as the documentation says: split lists at
// commas, then undo the percent encoding.
func wantHeaders(t *testing.T, got map[string]string, claims map[string]any) {
	t.Helper()
	text := func(s string) string {
		out, err := url.PathUnescape(s)
		if err != nil {
			t.Errorf("%q: %v", s, err)
		}
		return out
	}
	for name, claim := range claims {
		sent, has := got[headerName(name)]
		var meant any
		switch claim := claim.(type) {
		case string:
			meant = text(sent)
			has = has == (claim != "")
		case bool, json.Number:
			meant, claim = sent, fmt.Sprint(claim)
			if meant == claim {
				meant = claims[name]
			}
		case []any:
			if len(claim) == 0 || strings.HasSuffix(name, "_mixed") {
				continue // nothing to send; or with a null, which no header has
			}
			var list []any
			for e := range strings.SplitSeq(sent, ",") {
				list = append(list, text(e))
			}
			meant = list
		default:
			meant = decodeJSON(t, []byte(text(sent)))
		}
		if diff := cmp.Diff(claim, meant); diff != "" || !has {
			t.Errorf("%s: %q means (-claim +header):\n%s", headerName(name), sent, diff)
		}
	}
}

// outputs signs the person in at the gate and at the client, and collects
// what they get. Every token has been verified by jose.
func (in *installation) outputs(t *testing.T) outputs {
	t.Helper()
	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{})
	in.enterAnywhere(t, b, "/")
	header := in.last(t)
	rp := in.startOpenIDClient(t)
	got := in.signIn(t, rp, b, true)
	access := strings.TrimPrefix(header.Get("Authorization"), "Bearer ")
	out := outputs{
		IDToken:         in.verified(t, rp, got.Tokens.IDToken, "notes", "RS256"),
		AccessToken:     in.verified(t, rp, got.Tokens.AccessToken, in.issuer, "ES256"),
		Userinfo:        in.userinfo(t, got.Tokens.AccessToken),
		GateIDToken:     in.verified(t, rp, header.Get("X-Id-Token"), "gate:"+strings.TrimPrefix(in.site, "http://"), "ES256"),
		GateAccessToken: in.verified(t, rp, access, in.site, "ES256"),
		Header:          map[string]string{},
	}
	if header.Get("Remote-User") != out.GateIDToken["sub"] || header.Get("Remote-Email") != "ada@example.com" {
		t.Errorf("Remote-User %q, Remote-Email %q", header.Get("Remote-User"), header.Get("Remote-Email"))
	}
	for name, values := range header {
		if strings.HasPrefix(name, "X-") && !strings.HasPrefix(name, "X-Forwarded-") && name != "X-Id-Token" {
			out.Header[name] = strings.Join(values, " AND ")
		}
	}
	for _, m := range []map[string]any{out.IDToken, out.AccessToken, out.Userinfo, out.GateIDToken, out.GateAccessToken} {
		for _, name := range []string{"iss", "sub", "aud", "client_id", "exp", "iat", "nbf", "auth_time", "nonce", "at_hash", "sid", "jti"} {
			delete(m, name)
		}
	}
	return out
}

// enterAnywhere is enter for whichever upstream shows its login page.
func (in *installation) enterAnywhere(t *testing.T, b *brokertest.Browser, path string) {
	t.Helper()
	page := b.Get(in.site + path)
	switch {
	case page.Has("tenant-login") && in.tenant == nil:
		b.Fill("username", "ada@example.com")
		b.Fill("password", "not-a-secret")
		page = b.Click("tenant-login")
	case page.Has("tenant-login-form"):
		page = b.SignIn("ada")
	}
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	if page.Status != http.StatusOK || !page.Has("app") {
		t.Fatalf("signing in led to %s, want the application:\n%s\n%s", page, page.Body, in.logs)
	}
}

// verified returns the payload of a token that jose accepts, as it was
// signed: JavaScript's own reading rounds numbers.
func (in *installation) verified(t *testing.T, rp *interop.Node, token, audience, alg string) map[string]any {
	t.Helper()
	rp.MustCall(t, "verify", map[string]any{"token": token, "audience": audience, "algorithms": []string{alg}}, nil)
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return decodeJSON(t, raw).(map[string]any)
}

func (in *installation) userinfo(t *testing.T, accessToken string) map[string]any {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, in.issuer+"/oauth2/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+accessToken)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("userinfo answered %s: %s", response.Status, raw)
	}
	return decodeJSON(t, raw).(map[string]any)
}

// decodeJSON keeps numbers as texts.
func decodeJSON(t *testing.T, raw []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("decoding %.200q: %v", raw, err)
	}
	return v
}
