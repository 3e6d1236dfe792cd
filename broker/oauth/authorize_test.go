package oauth

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func webClient() *Client {
	return &Client{
		ID: "web", RedirectURIs: []string{registeredURI},
		Scopes: []string{ScopeOpenID, "profile", "email"},
	}
}

// request returns a good authorization request with the given changes:
// "name=value" sets, "name" alone removes.
func request(changes ...string) url.Values {
	v := url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {registeredURI},
		"scope": {"openid email"}, "state": {"state-1"}, "nonce": {"nonce-1"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for _, change := range changes {
		if name, value, set := strings.Cut(change, "="); set {
			v.Set(name, value)
		} else {
			v.Del(name)
		}
	}
	return v
}

func TestParseAuthorizeRequest(t *testing.T) {
	got, err := ParseAuthorizeRequest(request(
		"prompt=login consent", "max_age=60", "acr_values=urn:mfa", "ui_locales=de en",
		"login_hint=ada@example.com", "idp_hint=staff", "response_mode=query", "unknown=x",
	), webClient())
	if err != nil {
		t.Fatal(err)
	}
	sixty := int64(60)
	want := &AuthorizeRequest{
		ClientID: "web", RedirectURI: registeredURI, State: "state-1", Nonce: "nonce-1",
		Scopes: []string{"openid", "email"}, Challenge: challenge,
		Prompt: []string{"login", "consent"}, MaxAge: &sixty,
		ACRValues: "urn:mfa", UILocales: "de en", LoginHint: "ada@example.com", IDPHint: "staff",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !got.HasPrompt("login") || got.HasPrompt("none") {
		t.Errorf("HasPrompt disagrees with %q", got.Prompt)
	}
}

// The parsed request waits in a cookie and must come back the same.
func TestAuthorizeRequest_JSON(t *testing.T) {
	sent, parseErr := ParseAuthorizeRequest(request("prompt=login", "max_age=0", "idp_hint=staff"), webClient())
	if parseErr != nil {
		t.Fatal(parseErr)
	}
	raw, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	got := new(AuthorizeRequest)
	if err := json.Unmarshal(raw, got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Error(diff)
	}
}

func TestM4_OnlyTheCodeFlow(t *testing.T) {
	const only = "only response_type=code is supported"
	for responseType, want := range map[string]string{
		"code":                "",
		"":                    "response_type is missing",
		"token":               only,
		"id_token":            only,
		"id_token token":      only,
		"code token":          only,
		"code id_token":       only,
		"code id_token token": only,
		"none":                only,
		"CODE":                only,
		"code ":               only,
		"code code":           only,
	} {
		t.Run(responseType, func(t *testing.T) {
			code := UnsupportedResponseType
			if responseType == "" {
				code = InvalidRequest
			}
			_, err := ParseAuthorizeRequest(request("response_type="+responseType), webClient())
			checkError(t, err, code, want)
		})
	}
	for _, mode := range []string{"fragment", "form_post", "query.jwt", "web_message", "QUERY"} {
		_, err := ParseAuthorizeRequest(request("response_mode="+mode), webClient())
		checkError(t, err, InvalidRequest, "only response_mode=query is supported")
	}
}

// An unsigned request object would smuggle in parameters that nobody has
// checked.
func TestParseAuthorizeRequest_UnsupportedParameters(t *testing.T) {
	for change, code := range map[string]string{
		"request=eyJhbGciOiJub25lIn0.e30.":        RequestNotSupported,
		"request_uri=https://app.example.com/r":   RequestURINotSupported,
		"request_uri=urn:ietf:params:oauth:par:x": RequestURINotSupported,
		"registration={}":                         RegistrationUnsupported,
	} {
		if _, err := ParseAuthorizeRequest(request(change), webClient()); err == nil || err.Code != code {
			t.Errorf("%s: got %v, want %s", change, err, code)
		}
	}
}

func TestParseAuthorizeRequest_Prompt(t *testing.T) {
	const unknown, alone = "prompt must be none, login, consent or select_account", "prompt=none cannot be combined with other values"
	for prompt, want := range map[string]string{
		"":                             "",
		"none":                         "",
		"login":                        "",
		"consent select_account login": "",
		"create":                       unknown,
		"None":                         unknown,
		"login,consent":                unknown,
		"none login":                   alone,
		"login none":                   alone,
		"none none":                    alone,
	} {
		t.Run(prompt, func(t *testing.T) {
			_, err := ParseAuthorizeRequest(request("prompt="+prompt), webClient())
			checkError(t, err, InvalidRequest, want)
		})
	}
}

func TestParseAuthorizeRequest_MaxAge(t *testing.T) {
	const notSeconds = "max_age must be a number of seconds"
	for maxAge, want := range map[string]string{
		"0": "", "1": "", "86400": "", "2147483648": "",
		"-1": notSeconds, "1.5": notSeconds, "1e3": notSeconds, "0x10": notSeconds, " 1": notSeconds,
		"2147483649": notSeconds, "9223372036854775808": notSeconds, "soon": notSeconds,
	} {
		t.Run(maxAge, func(t *testing.T) {
			_, err := ParseAuthorizeRequest(request("max_age="+maxAge), webClient())
			checkError(t, err, InvalidRequest, want)
		})
	}
	t.Run("as a duration", func(t *testing.T) {
		r, _ := ParseAuthorizeRequest(request("max_age=90"), webClient())
		if d := r.MaxAgeDuration(); d == nil || *d != 90*time.Second {
			t.Errorf("got %v, want 90s", d)
		}
		zero, _ := ParseAuthorizeRequest(request("max_age=0"), webClient())
		if d := zero.MaxAgeDuration(); d == nil || *d != 0 {
			t.Errorf("max_age=0: got %v; it means sign in now, unlike none", d)
		}
		none, _ := ParseAuthorizeRequest(request(), webClient())
		if d := none.MaxAgeDuration(); d != nil {
			t.Errorf("no max_age: got %v, want nil", *d)
		}
	})
}

func TestParseAuthorizeRequest_Scope(t *testing.T) {
	const outside = "a requested scope is not among those configured for this client"
	for name, tc := range map[string]struct{ change, want string }{
		"the client's":      {"scope=profile openid email", ""},
		"without openid":    {"scope=email", ""},
		"absent":            {"scope", "scope is missing"},
		"empty":             {"scope=", "scope is missing"},
		"spaces":            {"scope=  ", "scope is missing"},
		"one outside":       {"scope=openid phone", outside},
		"offline_access":    {"scope=openid offline_access", outside},
		"another case":      {"scope=OPENID", outside},
		"outside grammar":   {"scope=openid\x7f", "a scope holds a character that scopes cannot have"},
		"separated by tabs": {"scope=openid\temail", "a scope holds a character that scopes cannot have"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := ParseAuthorizeRequest(request(tc.change), webClient())
			checkError(t, err, InvalidScope, tc.want)
			if err != nil && r.Scopes != nil {
				t.Errorf("scopes %q beside an error", r.Scopes)
			}
		})
	}
}

func TestM6_BadPKCE(t *testing.T) {
	const (
		missing = "code_challenge is missing; this client must use PKCE with S256"
		method  = "code_challenge_method must be S256"
		form    = "code_challenge must be the base64url form of a SHA-256 hash"
	)
	public := &Client{ID: "app", Public: true, Scopes: DefaultScopes, PKCEOptional: true} // not even then
	optional := &Client{ID: "old", PKCEOptional: true, Scopes: DefaultScopes}
	for name, tc := range map[string]struct {
		client *Client
		req    url.Values
		want   string
	}{
		"good":                    {webClient(), request(), ""},
		"good, public":            {public, request(), ""},
		"absent":                  {webClient(), request("code_challenge", "code_challenge_method"), missing},
		"absent, public":          {public, request("code_challenge", "code_challenge_method"), missing},
		"empty":                   {webClient(), request("code_challenge=", "code_challenge_method"), missing},
		"absent, optional":        {optional, request("code_challenge", "code_challenge_method"), ""},
		"only a method, optional": {optional, request("code_challenge"), "code_challenge is missing"},
		"only a method":           {webClient(), request("code_challenge"), "code_challenge is missing"},
		"plain":                   {webClient(), request("code_challenge_method=plain"), method},
		"plain, optional":         {optional, request("code_challenge_method=plain"), method},
		"no method means plain":   {webClient(), request("code_challenge_method"), method},
		"another case":            {webClient(), request("code_challenge_method=s256"), method},
		"too short":               {webClient(), request("code_challenge=abc"), form},
		"padded":                  {webClient(), request("code_challenge=" + challenge + "="), form},
		"in hex":                  {webClient(), request("code_challenge=" + strings.Repeat("0a", 32)), form},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := ParseAuthorizeRequest(tc.req, tc.client)
			checkError(t, err, InvalidRequest, tc.want)
			if err == nil && r.Challenge != tc.req.Get("code_challenge") {
				t.Errorf("challenge %q is lost", tc.req.Get("code_challenge"))
			}
		})
	}
}

// An error goes to the client, which finds its session by the state.
func TestParseAuthorizeRequest_ErrorKeepsState(t *testing.T) {
	for _, change := range []string{"response_type=token", "request=x", "prompt=none login", "max_age=x", "scope=phone", "code_challenge"} {
		r, err := ParseAuthorizeRequest(request(change), webClient())
		if err == nil {
			t.Errorf("%s passes", change)
		}
		if r.State != "state-1" || r.RedirectURI != registeredURI || r.ClientID != "web" {
			t.Errorf("%s: state %q, redirect URI %q, client %q", change, r.State, r.RedirectURI, r.ClientID)
		}
	}
}

func FuzzF9_AuthorizeRequest(f *testing.F) {
	f.Add(request().Encode(), false)
	f.Add(request("prompt=none", "max_age=0").Encode(), true)
	f.Add(request("code_challenge", "code_challenge_method").Encode(), true)
	f.Add("response_type=code&response_type=token", false)
	f.Add("scope=openid%00&state=%ff", false)
	f.Add("response_type=code&scope=openid+openid&max_age=-1", false)
	f.Fuzz(func(t *testing.T, query string, public bool) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return // the server refuses it unseen
		}
		if err := CheckParams(v); err != nil {
			checkErrorText(t, err)
			return
		}
		c := webClient()
		c.Public = public
		r, perr := ParseAuthorizeRequest(v, c)
		if r == nil || r.State != v.Get("state") || r.RedirectURI != v.Get("redirect_uri") {
			t.Fatalf("state or redirect URI of %q is lost", query)
		}
		if perr != nil {
			checkErrorText(t, perr)
			return
		}
		switch {
		case v.Get("response_type") != "code" || v.Has("request") && v.Get("request") != "":
			t.Errorf("%q: accepted with another flow", query)
		case len(r.Scopes) == 0 || !Subset(r.Scopes, c.Scopes):
			t.Errorf("%q: accepted with scopes %q", query, r.Scopes)
		case v.Get("code_challenge_method") != "S256" || len(r.Challenge) != len(challenge):
			t.Errorf("%q: accepted with challenge %q", query, r.Challenge)
		case r.HasPrompt("none") && len(r.Prompt) != 1:
			t.Errorf("%q: accepted with prompt %q", query, r.Prompt)
		case r.MaxAge != nil && *r.MaxAge < 0:
			t.Errorf("%q: accepted with max_age %d", query, *r.MaxAge)
		}
	})
}

// checkErrorText holds descriptions to the characters of RFC 6749, 4.1.2.1
// and codes to the registered ones.
func checkErrorText(t *testing.T, err *Error) {
	t.Helper()
	codes := []string{
		InvalidRequest, InvalidScope, UnsupportedResponseType,
		RequestNotSupported, RequestURINotSupported, RegistrationUnsupported,
	}
	if !slices.Contains(codes, err.Code) {
		t.Errorf("error code %q", err.Code)
	}
	for _, c := range []byte(err.Description) {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			t.Errorf("description %q holds %q", err.Description, c)
		}
	}
}
