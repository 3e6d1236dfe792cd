package oidc

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// M11: exactly these form fields, by the configured method.
func TestM11_TokenRequest(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(testClient+":"+url.QueryEscape(testSecret)))
	cases := []struct {
		method, authorization string
		extra                 url.Values
	}{
		{"", basic, url.Values{}},
		{AuthBasic, basic, url.Values{}},
		{AuthPost, "", url.Values{"client_id": {testClient}, "client_secret": {testSecret}}},
		{AuthNone, "", url.Values{"client_id": {testClient}}},
	}
	for _, c := range cases {
		t.Run("method "+c.method, func(t *testing.T) {
			s := newSetup(t, func(cfg *Config) {
				if cfg.AuthMethod = c.method; c.method == AuthNone {
					cfg.ClientSecret = ""
				}
			})
			request, private := s.begin(t, s.request())
			code := s.issuer.code(request)
			if _, err := s.Complete(t.Context(), private, s.request(), callback("code", code)); err != nil {
				t.Fatal(err)
			}
			var key seed
			copy(key[:], private)
			want := url.Values{
				"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {testRedirect},
				"code_verifier": {key.verifier()},
			}
			maps.Copy(want, c.extra)
			if diff := cmp.Diff(want, s.issuer.form); diff != "" {
				t.Errorf("form (-want +got):\n%s", diff)
			}
			if got := s.issuer.head.Get("Authorization"); got != c.authorization {
				t.Errorf("Authorization %q, want %q", got, c.authorization)
			}
		})
	}
}

// Whatever the token endpoint does, the code is posted once: at providers
// that take a second use for theft the retry would undo the first.
func TestS30_CodeIsPostedOnce(t *testing.T) {
	answer := func(status int, header, value, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if header != "" {
				w.Header().Set(header, value)
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	reset := fmt.Sprint(newClock().now().Add(42 * time.Second).Unix())
	cases := []struct {
		name    string
		handler http.HandlerFunc
		want    provider.Reason
		retry   time.Duration
		hint    string
	}{
		{"Auth0: bad code", answer(403, "", "", `{"error":"invalid_grant","error_description":"Invalid authorization code"}`), provider.ReasonCodeRejected, 0, ""},
		{"bad code, by the book", answer(400, "", "", `{"error":"invalid_grant"}`), provider.ReasonCodeRejected, 0, ""},
		{"Auth0: wrong secret", answer(401, "", "", `{"error":"access_denied","error_description":"Unauthorized"}`), provider.ReasonClientRejected, 0, "client_secret"},
		{"wrong secret, by the book", answer(401, "", "", `{"error":"invalid_client"}`), provider.ReasonClientRejected, 0, "client_secret"},
		{"wrong secret, plain text", answer(401, "Content-Type", "text/plain", "Unauthorized"), provider.ReasonClientRejected, 0, "client_secret"},
		{"grant not allowed", answer(403, "", "", `{"error":"unauthorized_client","error_description":"Grant type 'authorization_code' not allowed for the client."}`), provider.ReasonMisconfigured, 0, "authorization_code"},
		{"invalid request", answer(400, "", "", `{"error":"invalid_request"}`), provider.ReasonMisconfigured, 0, ""},
		{"unknown error", answer(400, "", "", `{"error":"teapot"}`), provider.ReasonUpstreamError, 0, ""},
		{"error that is no code", answer(400, "", "", `{"error":"<b>x</b>"}`), provider.ReasonUpstreamError, 0, ""},
		{"error with status 200", answer(200, "", "", `{"error":"invalid_grant"}`), provider.ReasonCodeRejected, 0, ""},
		{"429", answer(429, "Retry-After", "7", `{"error":"too_many_requests"}`), provider.ReasonRateLimited, 7 * time.Second, ""},
		{"Auth0: 429", answer(429, "X-RateLimit-Reset", reset, `{"error":"too_many_requests"}`), provider.ReasonRateLimited, 42 * time.Second, ""},
		{"429, HTML", answer(429, "Content-Type", "text/html", "<html>"), provider.ReasonRateLimited, 0, ""},
		{"500", answer(500, "", "", "oops"), provider.ReasonUnreachable, 0, ""},
		{"503, HTML", answer(503, "Retry-After", "9", "<html>"), provider.ReasonUnreachable, 9 * time.Second, ""},
		{"HTML", answer(200, "Content-Type", "text/html", "<html>"), provider.ReasonUpstreamError, 0, ""},
		{"empty", answer(200, "", "", ""), provider.ReasonUpstreamError, 0, ""},
		{"null", answer(200, "", "", "null"), provider.ReasonUpstreamError, 0, ""},
		{"no access token", answer(200, "", "", `{"token_type":"Bearer","id_token":"x"}`), provider.ReasonUpstreamError, 0, ""},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, pathToken, http.StatusTemporaryRedirect)
		}, provider.ReasonMisconfigured, 0, ""},
		{"5 MB", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 5<<20)) }, provider.ReasonUpstreamError, 0, ""},
		{"silence", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, provider.ReasonUnreachable, 0, ""},
		{"one byte, then silence", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "{")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, provider.ReasonUnreachable, 0, ""},
		{"cut before the answer", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, provider.ReasonUnreachable, 0, ""},
		{"cut in mid-answer", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"access_token":"not-a-secret","token_type":"Bearer","id_token":"`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, provider.ReasonUnreachable, 0, ""},
	}
	for _, c := range cases {
		for _, method := range []string{AuthBasic, AuthPost} {
			t.Run(c.name+" "+method, func(t *testing.T) {
				s := newTimedSetup(t, timeout(c.name), func(cfg *Config) { cfg.AuthMethod = method })
				s.issuer.serve(pathToken, c.handler)
				e := s.refused(t, c.want)
				if e.Code != codeUnavailable || e.RetryAfter != c.retry {
					t.Errorf("got code %s, retry after %v; want %s, %v", e.Code, e.RetryAfter, codeUnavailable, c.retry)
				}
				wantText(t, e.Hint, c.hint)
				if n := s.issuer.count(pathToken); n != 1 {
					t.Errorf("the code was posted %d times", n)
				}
			})
		}
	}
}

// Group 21: what may be absent or odd in a token response.
func TestTokenResponses(t *testing.T) {
	cases := []struct {
		name string
		edit func(object)
		want provider.Reason
	}{
		{"no expires_in", func(d object) { delete(d, "expires_in") }, ""},
		{"expires_in a string", func(d object) { d["expires_in"] = "86400" }, ""},
		{"token_type in lower case", func(d object) { d["token_type"] = "bearer" }, ""},
		{"no token_type", func(d object) { delete(d, "token_type") }, ""},
		{"token_type DPoP", func(d object) { d["token_type"] = "DPoP" }, provider.ReasonUpstreamError},
		{"with a refresh token", func(d object) { d["refresh_token"] = "not-a-secret" }, ""},
		{"no id_token", func(d object) { delete(d, "id_token") }, provider.ReasonNoIDToken},
		{"id_token empty", func(d object) { d["id_token"] = "" }, provider.ReasonNoIDToken},
		{"id_token a number", func(d object) { d["id_token"] = 5 }, provider.ReasonNoIDToken},
		{"id_token a list", func(d object) { d["id_token"] = []any{d["id_token"]} }, provider.ReasonNoIDToken},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, func(cfg *Config) { cfg.Hints.NoIDToken = "make it first-party" })
			s.issuer.answer = c.edit
			if c.want == "" {
				s.mustSignIn(t)
				return
			}
			if e := s.refused(t, c.want); c.want == provider.ReasonNoIDToken && e.Hint != "make it first-party" {
				t.Errorf("hint %q", e.Hint)
			}
		})
	}
}

// The provider redeems a code once; a replayed callback ends here.
func TestReplayedCodeIsRefused(t *testing.T) {
	s := newSetup(t, nil)
	request, private := s.begin(t, s.request())
	code := s.issuer.code(request)
	if _, err := s.Complete(t.Context(), private, s.request(), callback("code", code)); err != nil {
		t.Fatal(err)
	}
	id, err := s.Complete(t.Context(), private, s.request(), callback("code", code))
	e := wantReason(t, id, err, provider.ReasonCodeRejected)
	if e.Detail != "Invalid authorization code" {
		t.Errorf("detail %q", e.Detail)
	}
}
