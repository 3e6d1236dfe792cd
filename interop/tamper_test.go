package interop_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/interop"
)

// The relying parties must notice tampering, or their approval is worth
// nothing when they judge the broker.
func TestRelyingPartiesRefuseTamperedCallback(t *testing.T) {
	issuer := startUpstream(t, upstreamClient, publicClient)
	parties := map[string]*interop.Node{
		"openid-client": startOpenIDClient(t, issuer),
		"oauth4webapi": interop.StartNode(t, "public_rp.mjs", map[string]any{
			"issuer": issuer, "client_id": "desktop", "redirect_uri": callback,
		}),
	}
	for name, rp := range parties {
		t.Run(name, func(t *testing.T) {
			for parameter, value := range map[string]string{
				"state": "another", "iss": "https://attacker.example.com/", "code": "another",
			} {
				page := authorize(t, rp, interop.NewClient(t, callback), nil)
				if err := rp.Call("finish", map[string]string{"callback": changed(t, page, parameter, value)}, nil); err == nil {
					t.Errorf("a callback with a foreign %s was accepted", parameter)
				}
			}
		})
	}
}

// Someone who can alter the answer of the token endpoint, and only that,
// replaces the ID token. TLS makes that hard, which is why clients
// may leave the signature unchecked (OpenID Connect Core, 3.1.3.7): ours must
// not, or the broker's signatures would go unjudged.
func TestRelyingPartiesRefuseForgedSignature(t *testing.T) {
	issuer := startForgedUpstream(t, upstreamClient, publicClient)
	parties := map[string]*interop.Node{
		"openid-client": startOpenIDClient(t, issuer),
		"oauth4webapi": interop.StartNode(t, "public_rp.mjs", map[string]any{
			"issuer": issuer, "client_id": "desktop", "redirect_uri": callback,
		}),
	}
	for name, rp := range parties {
		t.Run(name, func(t *testing.T) {
			response := authorize(t, rp, interop.NewClient(t, callback), nil)
			err := rp.Call("finish", map[string]string{"callback": interop.Callback(t, response)}, nil)
			if err == nil || !strings.Contains(err.Error(), "signature") {
				t.Errorf("finish returned %v, want a complaint about the signature", err)
			}
		})
	}
}

// startForgedUpstream puts a proxy before an upstream that spoils the
// signature of every ID token.
func startForgedUpstream(t *testing.T, clients ...map[string]any) (issuer string) {
	t.Helper()
	// The front has its address before the upstream needs it as its issuer,
	// and starts only when it knows where to send requests.
	front := httptest.NewUnstartedServer(nil)
	t.Cleanup(front.Close)
	upstream := interop.StartNode(t, "upstream.mjs", map[string]any{
		"clients": clients, "issuer": "http://" + front.Listener.Addr().String() + "/",
	})
	var ready struct{ Issuer, Address string }
	if err := json.Unmarshal(upstream.Announcement, &ready); err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(ready.Address)
	if err != nil {
		t.Fatal(err)
	}
	front.Config.Handler = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			// The upstream derives the addresses it announces from it.
			r.Out.Host = r.In.Host
		},
		ModifyResponse: spoilIDToken,
	}
	front.Start()
	return ready.Issuer
}

func spoilIDToken(r *http.Response) error {
	if r.Request.URL.Path != "/oauth/token" || r.StatusCode != http.StatusOK {
		return nil
	}
	var answer map[string]any
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		return err
	}
	token, _ := answer["id_token"].(string)
	answer["id_token"] = token[:len(token)-8] + "AAAAAAAA"
	forged, err := json.Marshal(answer)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(forged)), int64(len(forged))
	r.Header.Set("Content-Length", strconv.Itoa(len(forged)))
	return err
}

// changed returns the callback of a response with one parameter replaced.
func changed(t *testing.T, response *http.Response, parameter, value string) string {
	t.Helper()
	target, err := url.Parse(interop.Callback(t, response))
	if err != nil {
		t.Fatal(err)
	}
	query := target.Query()
	query.Set(parameter, value)
	target.RawQuery = query.Encode()
	return target.String()
}
