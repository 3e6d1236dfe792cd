package auth0

import (
	"net/url"
	"strings"
	"testing"
)

// M31: every wrong form is a load error that shows the right line, and
// nothing is stripped in silence.
func TestM31_Domain(t *testing.T) {
	const plain, http, local = 0, 1, 2
	cases := []struct {
		domain string
		allow  int
		issuer string // "" = refused
		text   string // part of the error
	}{
		{"acme.eu.auth0.com", plain, "https://acme.eu.auth0.com/", ""},
		{"acme.us-3.auth0.com", plain, "https://acme.us-3.auth0.com/", ""},
		{"x.us.auth0.com", plain, "https://x.us.auth0.com/", ""},
		{"acme.auth0.com", plain, "https://acme.auth0.com/", ""},
		{"login.example.com", plain, "https://login.example.com/", ""},
		{"Login.Example.COM", plain, "https://login.example.com/", ""},
		{"login.example.com:8443", plain, "https://login.example.com:8443/", ""},
		{"xn--bcher-kva.example", plain, "https://xn--bcher-kva.example/", ""},

		{"", plain, "", "domain is missing: write domain <tenant>"},
		{"https://x.eu.auth0.com/", plain, "", `domain "https://x.eu.auth0.com/" is more than a host name: write domain x.eu.auth0.com`},
		{"https://x.eu.auth0.com", plain, "", "write domain x.eu.auth0.com"},
		{"http://x.eu.auth0.com:8443/authorize", plain, "", "write domain x.eu.auth0.com:8443"},
		{"//x.eu.auth0.com", plain, "", "write domain x.eu.auth0.com"},
		{"x.eu.auth0.com/", plain, "", "write domain x.eu.auth0.com"},
		{"x.eu.auth0.com/authorize", plain, "", "write domain x.eu.auth0.com"},
		{`x.eu.auth0.com\authorize`, plain, "", "write domain x.eu.auth0.com"},
		{"x.eu.auth0.com?a=b", plain, "", "write domain x.eu.auth0.com"},
		{"x.eu.auth0.com#a", plain, "", "write domain x.eu.auth0.com"},
		{"ada:not-a-secret@x.eu.auth0.com", plain, "", "write domain x.eu.auth0.com"},
		{"x.eu.auth0.com:443", plain, "", "write domain x.eu.auth0.com"},
		{"x.eu.auth0.com.", plain, "", "write domain x.eu.auth0.com"},
		{"x.eu.auth0.com:", plain, "", "write domain x.eu.auth0.com"},
		{" x.eu.auth0.com", plain, "", "write domain x.eu.auth0.com"},
		{"x.eu.auth0.com\n", plain, "", "write domain x.eu.auth0.com"},
		{"x eu.auth0.com", plain, "", "write domain xeu.auth0.com"},
		{"x.eu.auth0.com\x00", plain, "", "is not a host name"},
		{"*.auth0.com", plain, "", "is not a host name"},
		{"https://", plain, "", "is not a host name"},
		{"bücher.example", plain, "", "write its xn-- form"},
		{"x..auth0.com", plain, "", "is not a host name"},
		{".auth0.com", plain, "", "is not a host name"},
		{"-x.auth0.com", plain, "", "is not a host name"},
		{"x_y.auth0.com", plain, "", "is not a host name"},
		{"x.auth0.com:0", plain, "", "is not host[:port]"},
		{"x.auth0.com:08443", plain, "", "is not host[:port]"},
		{"x.auth0.com:99999", plain, "", "is not host[:port]"},
		{"x.auth0.com:https", plain, "", "is not host[:port]"},
		{"a:b:c", plain, "", "is not host[:port]"},
		{strings.Repeat("a.", 130) + "com", plain, "", "too long"},

		{"localhost", plain, "", "outbound { allow"},
		{"localhost:9000", plain, "", "outbound { allow"},
		{"tenant", plain, "", "not a public name"},
		{"tenant.local", plain, "", "not a public name"},
		{"tenant.localhost", plain, "", "not a public name"},
		{"10.0.0.1", plain, "", "not a public name"},
		{"8.8.8.8", plain, "", "not a public name"},
		{"127.1", plain, "", "not a public name"},
		{"2130706433", plain, "", "not a public name"},
		{"[::1]:9000", plain, "", "not a public name"},

		{"localhost:9000", http, "http://localhost:9000/", ""},
		{"tenant.localhost", http, "http://tenant.localhost/", ""},
		{"127.0.0.1:9000", http, "http://127.0.0.1:9000/", ""},
		{"[::1]:9000", http, "http://[::1]:9000/", ""},
		{"x.eu.auth0.com", http, "https://x.eu.auth0.com/", ""},
		{"10.0.0.1", http, "", "not a public name"},
		{"tenant", http, "", "not a public name"},

		{"localhost:9000", local, "https://localhost:9000/", ""},
		{"10.0.0.1", local, "https://10.0.0.1/", ""},
		{"tenant", local, "https://tenant/", ""},
		{"tenant.local:8443", local, "https://tenant.local:8443/", ""},
		{"127.0.0.1:9000", http | local, "http://127.0.0.1:9000/", ""},
		{"tenant.local", http | local, "https://tenant.local/", ""},
	}
	for _, c := range cases {
		got, err := Issuer(c.domain, c.allow&http != 0, c.allow&local != 0)
		if got != c.issuer || (err == nil) != (c.issuer != "") {
			t.Errorf("%q: got %q, %v; want %q", c.domain, got, err, c.issuer)
			continue
		}
		if err != nil && (!strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "not-a-secret")) {
			t.Errorf("%q: got %q, want it to contain %q", c.domain, err, c.text)
		}
	}
}

// Accepted means: the issuer is a URL of exactly this host, and the line an
// error shows is itself accepted.
func FuzzDomain(f *testing.F) {
	for _, s := range []string{"x.eu.auth0.com", "https://x.eu.auth0.com/", "a@b", "[::1]:1", "x:443", "*.x", "ü.x", "x .y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, domain string) {
		issuer, err := Issuer(domain, false, false)
		if err != nil {
			if _, right, ok := strings.Cut(err.Error(), "more than a host name: write domain "); ok {
				if again := bareHost(right); again != right {
					t.Fatalf("%q: told to write %q, which is told to be %q", domain, right, again)
				}
			}
			return
		}
		u, err := url.Parse(issuer)
		if err != nil || u.Scheme != "https" || u.Host != strings.ToLower(domain) || u.Path != "/" || u.String() != issuer {
			t.Fatalf("%q: issuer %q", domain, issuer)
		}
	})
}
