package session

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func origin(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestS13_CookieAttributes(t *testing.T) {
	const tail = "; HttpOnly; SameSite=Lax"
	for from, tc := range map[string]struct{ set, cleared string }{
		"https://auth.example.com": {
			"__Host-sso=v; Path=/; HttpOnly; Secure; SameSite=Lax",
			"__Host-sso=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		"https://auth.example.com:443": {
			"__Host-sso=v; Path=/; HttpOnly; Secure; SameSite=Lax",
			"__Host-sso=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		"https://auth.example.com:8443": {
			"__Host-sso_8443=v; Path=/; HttpOnly; Secure; SameSite=Lax",
			"__Host-sso_8443=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		"https://auth.example.com:80": {
			"__Host-sso_80=v; Path=/; HttpOnly; Secure; SameSite=Lax",
			"__Host-sso_80=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		"http://localhost":      {"sso=v; Path=/" + tail, "sso=; Path=/; Max-Age=0" + tail},
		"http://127.0.0.1:80":   {"sso=v; Path=/" + tail, "sso=; Path=/; Max-Age=0" + tail},
		"http://127.0.0.1:8080": {"sso_8080=v; Path=/" + tail, "sso_8080=; Path=/; Max-Age=0" + tail},
		"http://[::1]:443":      {"sso_443=v; Path=/" + tail, "sso_443=; Path=/; Max-Age=0" + tail},
	} {
		t.Run(from, func(t *testing.T) {
			cookies, w := NewCookies(origin(t, from)), httptest.NewRecorder()
			cookies.Set(w, "sso", "v", 0)
			cookies.Clear(w, "sso")
			if diff := cmp.Diff([]string{tc.set, tc.cleared}, w.Header().Values("Set-Cookie")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCookies_MaxAge(t *testing.T) {
	w := httptest.NewRecorder()
	NewCookies(origin(t, "https://auth.example.com")).Set(w, "flow", "v", 30*time.Minute)
	const want = "__Host-flow=v; Path=/; Max-Age=1800; HttpOnly; Secure; SameSite=Lax"
	if got := w.Header().Get("Set-Cookie"); got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

func TestCookies_Get(t *testing.T) {
	cookies := NewCookies(origin(t, "https://auth.example.com:8443"))
	for name, tc := range map[string]struct {
		header []string
		want   string
	}{
		"none":                       {nil, ""},
		"ours":                       {[]string{"__Host-sso_8443=v"}, "v"},
		"ours among others":          {[]string{"a=1; __Host-sso_8443=v; b=2"}, "v"},
		"twice in one line":          {[]string{"__Host-sso_8443=planted; __Host-sso_8443=v"}, ""},
		"twice in two lines":         {[]string{"__Host-sso_8443=planted", "__Host-sso_8443=v"}, ""},
		"twice, equal":               {[]string{"__Host-sso_8443=v; __Host-sso_8443=v"}, ""},
		"without the prefix":         {[]string{"sso_8443=v"}, ""},
		"of another port":            {[]string{"__Host-sso_9443=v"}, ""},
		"of the standard port":       {[]string{"__Host-sso=v"}, ""},
		"prefix in another case":     {[]string{"__host-sso_8443=v"}, ""},
		"a longer name":              {[]string{"__Host-sso_84430=v"}, ""},
		"planted without the prefix": {[]string{"sso_8443=planted; __Host-sso_8443=v"}, "v"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "https://auth.example.com:8443/", nil)
			r.Header["Cookie"] = tc.header
			if got := cookies.Get(r, "sso"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestSecureOrigin(t *testing.T) {
	for s, want := range map[string]bool{
		"https://auth.example.com":        true,
		"https://auth.example.com:8443":   true,
		"http://localhost:8080":           true,
		"http://app.localhost":            true,
		"http://127.0.0.1":                true,
		"http://[::1]:8080":               true,
		"http://auth.example.com":         false,
		"http://localhost.example.com":    false,
		"http://127.0.0.1.example.com":    false,
		"http://192.168.0.1":              false,
		"http://localhost@evil.example":   false,
		"ftp://localhost":                 false,
		"//localhost":                     false,
		"":                                false,
		"http://evil.example/?.localhost": false,
	} {
		if got := SecureOrigin(origin(t, s)); got != want {
			t.Errorf("SecureOrigin(%q) = %v", s, got)
		}
	}
}

// An application on the issuer's host gets its own cookies and those of the
// gate in front of it, and none that opens anything at the broker.
func TestS06_HideBrokers(t *testing.T) {
	for name, tc := range map[string]struct{ in, want []string }{
		"none":        {nil, nil},
		"its own":     {[]string{"a=1; b=2"}, []string{"a=1; b=2"}},
		"among them":  {[]string{"a=1; __Host-auth_broker_sso=x; b=2"}, []string{"a=1; b=2"}},
		"alone":       {[]string{"__Host-auth_broker_portal_8443=x"}, nil},
		"without TLS": {[]string{"auth_broker_sso_8420=x;a=1"}, []string{"a=1"}},
		"two lines":   {[]string{"auth_broker_flow=x", "a=1"}, []string{"a=1"}},
		"of a gate":   {[]string{"__Host-auth_gate=x; auth_gate_flow=y"}, []string{"__Host-auth_gate=x; auth_gate_flow=y"}},
		"look-alikes": {[]string{"my_auth_broker_=1; auth_brokerage=2"}, []string{"my_auth_broker_=1; auth_brokerage=2"}},
	} {
		h := http.Header{"Cookie": tc.in}
		HideBrokers(h)
		if got := h["Cookie"]; !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
