package demo

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestRequestsReachTheBrokerAndNothingElse(t *testing.T) {
	issuer, err := url.Parse("https://auth.example.com/sso")
	if err != nil {
		t.Fatal(err)
	}
	var got *http.Request
	var body string
	client := &http.Client{Transport: handlerTransport{issuer: issuer, broker: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got, body = r, string(raw)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK) // too late
		_, _ = io.WriteString(w, `{"a":`)
		_, _ = io.WriteString(w, `1}`)
	})}}

	resp, err := client.Post("https://auth.example.com/sso/oauth2/token?x=1", "application/x-www-form-urlencoded", strings.NewReader("code=c"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusTeapot || resp.Status != "418 I'm a teapot" || string(raw) != `{"a":1}` || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("answer %s %s %v", resp.Status, raw, resp.Header)
	}
	if got.Method != http.MethodPost || got.Host != "auth.example.com" || got.RequestURI != "/sso/oauth2/token?x=1" || got.URL.String() != "/sso/oauth2/token?x=1" || body != "code=c" {
		t.Errorf("the broker saw %s %s%s, %s: %q", got.Method, got.Host, got.RequestURI, got.URL, body)
	}

	got = nil
	for _, address := range []string{
		"http://auth.example.com/sso/oauth2/token", "https://auth.example.com:8443/sso/oauth2/token", "https://evil.example/sso/oauth2/token",
		"https://auth.example.com/admin", "https://auth.example.com/ssolike", "https://auth.example.com@evil.example/sso/",
	} {
		if resp, err := client.Get(address); err == nil {
			resp.Body.Close()
			t.Errorf("%s was answered: %s", address, resp.Status)
		}
	}
	if got != nil {
		t.Errorf("the broker was asked for %s", got.URL)
	}
	if resp, err = client.Get("https://auth.example.com/sso/.well-known/openid-configuration"); err != nil || body != "" {
		t.Errorf("a request without a body: %v, %q", err, body)
	} else {
		resp.Body.Close()
	}
}

// A handler that writes nothing has answered 200.
func TestSilentAnswers(t *testing.T) {
	issuer := &url.URL{Scheme: "https", Host: "auth.example.com"}
	client := &http.Client{Transport: handlerTransport{issuer: issuer, broker: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}}
	resp, err := client.Get("https://auth.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ContentLength != 0 {
		t.Errorf("%s, %d bytes", resp.Status, resp.ContentLength)
	}
}
