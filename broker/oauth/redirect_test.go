package oauth

import (
	"net/url"
	"testing"
)

func TestValidRedirectURI_Accepts(t *testing.T) {
	for _, s := range []string{
		"https://app.example.com/callback",
		"https://app.example.com",
		"https://app.example.com:8443/cb?tenant=1",
		"http://127.0.0.1/cb",
		"http://127.0.0.1:4711/cb",
		"http://[::1]:4711/cb",
		"http://localhost:3000/cb",
		"http://app.localhost/cb",
		"com.example.app:/callback",
		"com.example.app://callback",
	} {
		if err := ValidRedirectURI(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestR20_ValidRedirectURI_Refuses(t *testing.T) {
	const (
		ascii    = "must be printable ASCII without spaces and backslashes"
		absolute = "must be an absolute address such as https://app.example.com/callback"
		scheme   = "must be https, http on a loopback host, or a private scheme such as com.example.app:/callback"
		plain    = "must be https; http is for loopback hosts only"
		fragment = "must have no fragment"
		user     = "must have no user information"
		wildcard = "must be an exact address; wildcards are not supported"
		response = "must not carry code, state, iss or error in its query; the broker adds them"
	)
	for s, want := range map[string]string{
		"":                                      absolute,
		"/callback":                             absolute,
		"//app.example.com/callback":            absolute,
		"app.example.com/callback":              absolute,
		"https://app.example.com:port/":         absolute,
		"https://app.example.com/%zz":           absolute,
		"https://[::1/":                         absolute,
		"https:":                                scheme,
		"https:///callback":                     scheme,
		"https:app.example.com":                 scheme,
		"https://:443/callback":                 scheme,
		"javascript:alert(1)":                   scheme,
		"JavaScript:alert(1)":                   scheme,
		"javascript://app.example.com/%0aalert": scheme,
		"data:text/html,hello":                  scheme,
		"vbscript:x":                            scheme,
		"file:///etc/hosts":                     scheme,
		"blob:https://app.example.com/1":        scheme,
		"myapp:/callback":                       scheme,
		"ftp://app.example.com/":                scheme,
		"urn:ietf:wg:oauth:2.0:oob":             scheme,
		"http://app.example.com/callback":       plain,
		"http://127.0.0.1.example.com/":         plain,
		"http://localhost.example.com/":         plain,
		"http://notlocalhost/":                  plain,
		"http://0.0.0.0/":                       plain,
		"http://2130706433/":                    plain,
		"http://127.1/":                         plain,
		"http:///callback":                      plain,
		"https://app.example.com/#":             fragment,
		"https://app.example.com/#part":         fragment,
		"https://app.example.com/cb?x=#":        fragment,
		"com.example.app:/cb#x":                 fragment,
		"https://ada@app.example.com/":          user,
		"https://ada:x@app.example.com/":        user,
		"https://app.example.com@evil.example/": user,
		"https://@evil.example/":                user,
		"https://*.example.com/":                wildcard,
		"https://app.example.com/*":             wildcard,
		"https://app.example.com/?a=*":          wildcard,
		"https://app.example.com/?code=x":       response,
		"https://app.example.com/?a=b&state=":   response,
		"https://app.example.com/?i%73s=x":      response,
		"https://app.example.com/?error=x":      response,
		" https://app.example.com/":             ascii,
		"https://app.example.com/ ":             ascii,
		"https://app.example.com/\n":            ascii,
		"https://app.example.com/\x00":          ascii,
		"java\tscript:alert(1)":                 ascii,
		`https:\\app.example.com\`:              ascii,
		`https://app.example.com\@evil.example`: ascii,
		"https://äpp.example.com/":              ascii,
		"https://app.example.com/\u202e":        ascii,
		"https://app．example.com/":              ascii,
	} {
		switch err := ValidRedirectURI(s); {
		case err == nil:
			t.Errorf("%q passes; want %q", s, want)
		case err.Error() != want:
			t.Errorf("%q: %v; want %q", s, err, want)
		}
	}
}

const registeredURI = "https://app.example.com/callback"

// hostile are spellings that a pattern, a prefix rule, a decoder, a URL
// parser or a browser may take for registeredURI.
var hostile = []string{
	"",
	"https://app.example.com",
	"https://app.example.com/",
	"https://app.example.com/callback/",
	"https://app.example.com//callback",
	"https://app.example.com/callback?",
	"https://app.example.com/callback?x=1",
	"https://app.example.com/callback#",
	"https://app.example.com/callback#x",
	"https://app.example.com/callback;x",
	"https://app.example.com/callback/../evil",
	"https://app.example.com/callback/..",
	"https://app.example.com/callback/.",
	"https://app.example.com/./callback",
	"https://app.example.com/x/../callback",
	"https://app.example.com/x/..%2fcallback",
	"https://app.example.com/callback%2f..%2fevil",
	"https://app.example.com/callback%252f..",
	"https://app.example.com/callbac",
	"https://app.example.com/callbackk",
	"https://app.example.com/callback.evil.example",
	"https://app.example.com/Callback",
	"https://app.example.com/CALLBACK",
	"https://app.example.com/%63allback",
	"https://app.example.com/call%62ack",
	"https://app.example.com/callback%00",
	"https://app.example.com/callback\x00",
	"https://app.example.com/callback%20",
	"https://app.example.com/callback ",
	"https://app.example.com/callback\t",
	"https://app.example.com/callback\n",
	"https://app.example.com/callback\r\nLocation: https://evil.example",
	" https://app.example.com/callback",
	"\thttps://app.example.com/callback",
	"https://app.example.com/callback\u200b",
	"https://app.example.com/callbac\u212a",
	"https://app.example.com\u3002evil.example/callback",
	"https://app.example.com:443/callback",
	"https://app.example.com:/callback",
	"https://app.example.com:8443/callback",
	"https://app.example.com./callback",
	"https://APP.example.com/callback",
	"https://app.EXAMPLE.com/callback",
	"HTTPS://app.example.com/callback",
	"http://app.example.com/callback",
	"//app.example.com/callback",
	"/callback",
	"callback",
	"https:app.example.com/callback",
	"https:/app.example.com/callback",
	"https:///app.example.com/callback",
	`https:\\app.example.com\callback`,
	`https://app.example.com\callback`,
	`https://evil.example\@app.example.com/callback`,
	`https://app.example.com\.evil.example/callback`,
	"https://app.example.com@evil.example/callback",
	"https://app.example.com:x@evil.example/callback",
	"https://ada@app.example.com/callback",
	"https://evil.example/https://app.example.com/callback",
	"https://evil.example?https://app.example.com/callback",
	"https://evil.example#https://app.example.com/callback",
	"https://evil.example/callback",
	"https://appxexample.com/callback", // a regexp's dot
	"https://app.examplexcom/callback",
	"https://app.example.com.evil.example/callback",
	"https://evil-app.example.com/callback",
	"https://x.app.example.com/callback",
	"https://example.com/callback",
	"https://аpp.example.com/callback", // Cyrillic а
	"https://app.example.com/callback,https://evil.example/",
	"https://app.example.com/callback https://evil.example/",
	"javascript:alert(1)//https://app.example.com/callback",
	"data:text/html,https://app.example.com/callback",
	"https%3A%2F%2Fapp.example.com%2Fcallback",
}

func TestS35_RedirectURIByteExact(t *testing.T) {
	if len(hostile) < 60 {
		t.Fatalf("the table has shrunk to %d spellings", len(hostile))
	}
	for _, native := range []bool{false, true} {
		c := &Client{RedirectURIs: []string{"https://other.example.com/", registeredURI}, Native: native}
		if !c.MatchRedirectURI(registeredURI) {
			t.Errorf("native %v: the registered URI itself is refused", native)
		}
		for _, uri := range hostile {
			if c.MatchRedirectURI(uri) {
				t.Errorf("native %v: %q passes for %s", native, uri, registeredURI)
			}
		}
	}
	if new(Client).MatchRedirectURI("") {
		t.Error("a client without redirect URIs matches the empty one")
	}
}

func TestS35_LoopbackPort(t *testing.T) {
	c := &Client{Native: true, RedirectURIs: []string{
		"http://127.0.0.1/cb?a=1", "http://[::1]:4711/cb", "http://localhost:3000/cb", "https://127.0.0.1/tls",
	}}
	for uri, want := range map[string]bool{
		"http://127.0.0.1/cb?a=1":         true,
		"http://127.0.0.1:1/cb?a=1":       true,
		"http://127.0.0.1:65535/cb?a=1":   true,
		"http://[::1]/cb":                 true,
		"http://[::1]:50000/cb":           true,
		"http://localhost:3000/cb":        true,
		"https://127.0.0.1/tls":           true,
		"http://localhost:3001/cb":        false, // a name, and names can be hijacked
		"http://localhost/cb":             false,
		"https://127.0.0.1:8443/tls":      false,
		"http://127.0.0.1:8443/tls":       false,
		"https://127.0.0.1:1/cb?a=1":      false,
		"http://127.0.0.1:1/cb":           false,
		"http://127.0.0.1:1/cb?a=2":       false,
		"http://127.0.0.1:1/cb?a=1&b=2":   false,
		"http://127.0.0.1:1/cb?a=1#x":     false,
		"http://127.0.0.1:1/CB?a=1":       false,
		"http://127.0.0.1:/cb?a=1":        false,
		"http://127.0.0.1:123456/cb?a=1":  false,
		"http://127.0.0.1:-1/cb?a=1":      false,
		"http://127.0.0.1:1x/cb?a=1":      false,
		"http://127.0.0.1:1:2/cb?a=1":     false,
		"http://127.0.0.1:1@evil/cb?a=1":  false,
		"http://127.0.0.1@evil/cb?a=1":    false,
		"http://127.0.0.1.evil/cb?a=1":    false,
		"http://127.0.0.1:1.evil/cb?a=1":  false,
		"http://127.0.0.1:1\\.evil/cb":    false,
		"http://127.0.0.11/cb?a=1":        false,
		"http://127.0.0.2:1/cb?a=1":       false,
		"http://127.1:1/cb?a=1":           false,
		"http://2130706433:1/cb?a=1":      false,
		"http://[::1]:4711/":              false,
		"http://[::1]:4711":               false,
		"http://::1:4711/cb":              false,
		"http://[::1%25lo]:4711/cb":       false,
		"http://[0:0:0:0:0:0:0:1]:1/cb":   false,
		"http://[::ffff:127.0.0.1]:1/cb":  false,
		"http://[::1]:1/cb?a=1":           false,
		"HTTP://[::1]:1/cb":               false,
		"127.0.0.1:1/cb?a=1":              false,
		"http://http://127.0.0.1/cb?a=1":  false,
		"http://user@127.0.0.1:1/cb?a=1":  false,
		"http://127.0.0.1:1/../cb?a=1":    false,
		"http://127.0.0.1:1/%63b?a=1":     false,
		"http://127.0.0.1:1//cb?a=1":      false,
		"http://127.0.0.1:１/cb?a=1":       false,
		"http://127.0.0.1:1\n/cb?a=1":     false,
		"http://127.0.0.1:0x50/cb?a=1":    false,
		"http://127.0.0.1 :1/cb?a=1":      false,
		"http://[127.0.0.1]:1/cb?a=1":     false,
		"http://127.0.0.1:1?a=1":          false,
		"http://127.0.0.1:1/cb?a=1\u0000": false,
	} {
		if got := c.MatchRedirectURI(uri); got != want {
			t.Errorf("MatchRedirectURI(%q) = %v", uri, got)
		}
	}
	// Not even where Validate never saw the registration.
	c.RedirectURIs = append(c.RedirectURIs, "http://127.0.0.1.evil.example/cb", "http://[::1]x/cb")
	for _, uri := range []string{"http://127.0.0.1:1.evil.example/cb", "http://[::1]:1x/cb"} {
		if c.MatchRedirectURI(uri) {
			t.Errorf("%s counts as loopback", uri)
		}
	}
	c.Native = false
	if c.MatchRedirectURI("http://127.0.0.1:1/cb?a=1") {
		t.Error("a web client may choose its port")
	}
}

func TestS41_RedirectWith(t *testing.T) {
	params := url.Values{"code": {"c"}, "state": {"a b&c=#d\r\n"}, "iss": {"https://auth.example.com"}}
	const encoded = "code=c&iss=https%3A%2F%2Fauth.example.com&state=a+b%26c%3D%23d%0D%0A"
	for registered, want := range map[string]string{
		"https://app.example.com/cb":          "https://app.example.com/cb?" + encoded,
		"https://app.example.com":             "https://app.example.com?" + encoded,
		"https://app.example.com/cb?b=2&a=%7": "https://app.example.com/cb?b=2&a=%7&" + encoded,
		"com.example.app:/cb":                 "com.example.app:/cb?" + encoded,
	} {
		if got := RedirectWith(registered, params); got != want {
			t.Errorf("RedirectWith(%s) = %s; want %s", registered, got, want)
		}
	}
}

func TestLoopbackHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "localhost.": true, "app.localhost": true,
		"127.0.0.1": true, "127.255.255.254": true, "::1": true, "[::1]": true, "::ffff:127.0.0.1": true,
		"": false, "localhost.example.com": false, "mylocalhost": false, "example.com": false,
		"128.0.0.1": false, "0.0.0.0": false, "::": false, "::2": false, "10.0.0.1": false,
		"0x7f000001": false, "127.1": false, "127.0.0.01": false,
	} {
		if got := LoopbackHost(host); got != want {
			t.Errorf("LoopbackHost(%q) = %v", host, got)
		}
	}
}
