package oidc

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// The table of what an error at the callback means: for the client, and for
// the page.
func TestS29_ErrorsAtTheCallback(t *testing.T) {
	cases := []struct {
		error, silent, loud string // the client's code with and without prompt=none
		reason              provider.Reason
	}{
		{"access_denied", "access_denied", "access_denied", provider.ReasonDenied},
		{"unauthorized", "access_denied", "access_denied", provider.ReasonBlocked},
		{"login_required", "login_required", "access_denied", provider.ReasonInteraction},
		{"consent_required", "consent_required", "access_denied", provider.ReasonInteraction},
		{"interaction_required", "interaction_required", "access_denied", provider.ReasonInteraction},
		{"account_selection_required", "account_selection_required", "access_denied", provider.ReasonInteraction},
		{"invalid_request", codeUnavailable, codeUnavailable, provider.ReasonMisconfigured},
		{"invalid_scope", codeUnavailable, codeUnavailable, provider.ReasonMisconfigured},
		{"unsupported_response_type", codeUnavailable, codeUnavailable, provider.ReasonMisconfigured},
		{"unauthorized_client", codeUnavailable, codeUnavailable, provider.ReasonMisconfigured},
		{"server_error", codeUnavailable, codeUnavailable, provider.ReasonUpstreamError},
		{"temporarily_unavailable", codeUnavailable, codeUnavailable, provider.ReasonUpstreamError},
		{"too_many_requests", codeUnavailable, codeUnavailable, provider.ReasonRateLimited},
		{"mfa_required", codeUnavailable, codeUnavailable, provider.ReasonUpstreamError},
		{"something_else", codeUnavailable, codeUnavailable, provider.ReasonUpstreamError},
		{"<script>", codeUnavailable, codeUnavailable, provider.ReasonUpstreamError},
	}
	for _, c := range cases {
		t.Run(c.error, func(t *testing.T) {
			s := newSetup(t, nil)
			for prompt, want := range map[string]string{"none": c.silent, "login": c.loud} {
				req := s.request(prompt)
				_, private := s.begin(t, req)
				id, err := s.Complete(t.Context(), private, req,
					callback("error", c.error, "error_description", "call +1 555 0100\r\nnow", "state", req.State))
				e := wantReason(t, id, err, c.reason)
				if e.Code != want {
					t.Errorf("prompt=%s: code %q, want %q", prompt, e.Code, want)
				}
				if strings.Contains(e.Error(), "555") || strings.Contains(e.Error(), "<") {
					t.Errorf("upstream's text is in the error: %v", e)
				}
				if e.Detail != "call +1 555 0100\r\nnow" {
					t.Errorf("detail %q", e.Detail)
				}
			}
			if s.issuer.count(pathToken) != 0 {
				t.Error("something was redeemed")
			}
		})
	}
}

func TestDetailIsCut(t *testing.T) {
	s := newSetup(t, nil)
	_, private := s.begin(t, s.request())
	_, err := s.Complete(t.Context(), private, s.request(),
		callback("error", "access_denied", "error_description", strings.Repeat("é", 1000)+"\xff"))
	if e := wantReason(t, nil, err, provider.ReasonDenied); len(e.Detail) > 200 || !strings.HasPrefix(e.Detail, "éé") {
		t.Errorf("detail has %d bytes: %q", len(e.Detail), e.Detail)
	}
	_, err = s.Complete(t.Context(), private, s.request(),
		callback("error", "access_denied", "error_description", "Service not found: https://api.example.com"))
	wantText(t, wantReason(t, nil, err, provider.ReasonDenied).Hint, "audience")
}

// Group 12: answers that are no answer.
func TestMalformedCallbacks(t *testing.T) {
	s := newSetup(t, nil)
	for name, query := range map[string]string{
		"nothing":               "",
		"state alone":           "state=state-1",
		"code empty":            "code=",
		"error empty":           "error=",
		"code twice":            "code=a&code=b",
		"code twice the same":   "code=a&code=a",
		"error twice":           "error=access_denied&error=x",
		"state twice":           "code=a&state=x&state=y",
		"iss twice":             "code=a&iss=x&iss=y",
		"description twice":     "error=x&error_description=a&error_description=b",
		"code and error":        "code=a&error=access_denied",
		"code and empty error":  "code=a&error=",
		"error and empty code":  "error=access_denied&code=",
		"array":                 "code[]=a",
		"semicolon":             "code=a;state=b",
		"bad escape":            "code=%zz",
		"code too large":        "code=" + strings.Repeat("a", maxCode+1),
		"query too large":       "code=a&x=" + strings.Repeat("a", maxQuery),
		"a form in the address": "CODE=a",
	} {
		t.Run(name, func(t *testing.T) {
			_, private := s.begin(t, s.request())
			r := httptest.NewRequest(http.MethodGet, testRedirect, nil)
			r.URL.RawQuery = query
			id, err := s.Complete(t.Context(), private, s.request(), r)
			wantReason(t, id, err, provider.ReasonResponseMalformed)
		})
	}
	if n := s.issuer.count(pathToken); n != 0 {
		t.Errorf("%d codes were redeemed", n)
	}
	t.Run("largest code, and parameters of others", func(t *testing.T) {
		request, private := s.begin(t, s.request())
		code := s.issuer.code(request)
		s.issuer.with(func() {
			long := code + strings.Repeat("a", maxCode-len(code))
			s.issuer.codes[long], code = request, long
		})
		r := callback("code", code, "x", "1", "x", "2", "session_state", "y")
		if _, err := s.Complete(t.Context(), private, s.request(), r); err != nil {
			t.Error(err)
		}
	})
}

// S27: the mix-up. An attacker's provider answers with the code of an
// honest one, to have it redeemed at the attacker's token endpoint.
func TestS27_IssuerInTheResponse(t *testing.T) {
	cases := []struct {
		name     string
		promised bool
		iss      func(id string) []string
		ok       bool
	}{
		{"not promised, absent", false, func(string) []string { return nil }, true},
		{"promised, right", true, func(id string) []string { return []string{"iss", id} }, true},
		{"not promised, right", false, func(id string) []string { return []string{"iss", id} }, true},
		{"promised, absent", true, func(string) []string { return nil }, false},
		{"promised, empty", true, func(string) []string { return []string{"iss", ""} }, false},
		{"not promised, empty", false, func(string) []string { return []string{"iss", ""} }, false},
		{"another", true, func(string) []string { return []string{"iss", "https://honest.example"} }, false},
		{"not promised, another", false, func(string) []string { return []string{"iss", "https://honest.example"} }, false},
		{"without the slash", true, func(id string) []string { return []string{"iss", strings.TrimSuffix(id, "/")} }, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSetup(t, nil)
			s.issuer.metadata = func(d object) { d["authorization_response_iss_parameter_supported"] = c.promised }
			request, private := s.begin(t, s.request())
			iss := c.iss(s.issuer.id)
			id, err := s.Complete(t.Context(), private, s.request(), callback(append(iss, "code", s.issuer.code(request))...))
			_, errRefused := s.Complete(t.Context(), private, s.request(), callback(append(iss, "error", "access_denied")...))
			if c.ok {
				if err != nil {
					t.Error(err)
				}
				wantReason(t, nil, errRefused, provider.ReasonDenied)
				return
			}
			wantReason(t, id, err, provider.ReasonIssuerMismatch)
			wantReason(t, nil, errRefused, provider.ReasonIssuerMismatch)
			if s.issuer.count(pathToken) != 0 {
				t.Error("the code was redeemed")
			}
		})
	}
}
