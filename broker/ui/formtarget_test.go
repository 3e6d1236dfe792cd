package ui

import (
	"strings"
	"testing"
)

var hostileOrigins = []string{
	"",
	"*", "https://*", "https://*.example.com", "http:", "https:", "wss:",
	"javascript:", "data:", "blob:", "filesystem:", "vbscript:", "about:", "file:", "view-source:",
	"'unsafe-inline'", "'self'", ":", "1app:", "App:", "app:x",
	"https://a.example; script-src *", "https://a.example;script-src", "https://a.example *",
	"https://a.example,b", "https://a.example\r\nSet-Cookie: a=b", "https://a.example\t*",
	"https://a.example/", "https://a.example/path", "https://a.example?x", "https://a.example#", "https://a.example#f",
	"https://user@a.example", "https://@a.example", "https://", "https:///x", "https:a.example",
	"https://a.example:", "https://a.example:*", "https://a.example:x", "https://a.example:80:80",
	"https://A.example", "HTTPS://a.example", "//a.example", "a.example",
	"https://пример.example", "https://a\u2028.example", "https://a.example\x00",
	"https://[::1]:8443", "http://[2001:db8::1]", "http://[::1%25lo]:80", "http://[::1", "http://[v1.x]",
	"com.example.app: *", "com.example.app:;", "com;example:",
}

func TestFormSource(t *testing.T) {
	for _, s := range []string{
		"https://app.example.com", "https://app.example.com:8443", "http://127.0.0.1:49152", "http://localhost",
		"https://xn--e1afmkfd.example", "https://a_b.example", "com.example.app:", "myapp:", "web+app:",
	} {
		if got := formSource(s); got != s {
			t.Errorf("formSource(%q) = %q", s, got)
		}
	}
	for _, s := range hostileOrigins {
		if got := formSource(s); got != "" {
			t.Errorf("formSource(%q) = %q, want none", s, got)
		}
	}
	for _, s := range []string{"http://[::1]:49152", "http://[::1]"} {
		if got := formSource(s); got != "http:" {
			t.Errorf("formSource(%q) = %q: a policy cannot spell this address", s, got)
		}
	}
}

func TestFormTarget(t *testing.T) {
	for uri, want := range map[string]string{
		"https://app.example.com/callback?x=1":  "https://app.example.com",
		"https://APP.example.com:8443/cb":       "https://app.example.com:8443",
		"http://127.0.0.1:49152/":               "http://127.0.0.1:49152",
		"http://[::1]:49152/":                   "http://[::1]:49152",
		"com.example.app:/oauth2redirect":       "com.example.app:",
		"com.example.app://oauth2redirect?x=1":  "com.example.app:",
		"https://user:word@app.example.com/cb":  "https://app.example.com",
		"javascript:alert(1)":                   "",
		"data:text/html,x":                      "",
		"https://*.example.com/cb":              "",
		"https://app.example.com;script-src/cb": "",
		"/callback":                             "",
		"https://":                              "",
		"%":                                     "",
		"":                                      "",
	} {
		if got := FormTarget(uri); got != want {
			t.Errorf("FormTarget(%q) = %q, want %q", uri, got, want)
		}
	}
}

// Whatever comes in, one source or none comes out, and never one that means
// more than it names.
func FuzzFormSource(f *testing.F) {
	for _, s := range append(hostileOrigins, "https://app.example.com:8443", "com.example.app:", "http://[::1]:1") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := formSource(s)
		if got == "" {
			return
		}
		if got != s && (got != "http:" || !strings.HasPrefix(s, "http://[")) {
			t.Errorf("formSource(%q) = %q", s, got)
		}
		if i := strings.IndexFunc(got, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`;,*'"/\`, c) && c != '/' }); i >= 0 {
			t.Errorf("formSource(%q) = %q", s, got)
		}
		if got == s && FormTarget(s+"/callback") != s && !strings.HasSuffix(s, ":") {
			t.Errorf("FormTarget(%q) = %q", s+"/callback", FormTarget(s+"/callback"))
		}
	})
}
