package authn

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// object reads JSON the way documents are read.
func object(t testing.TB, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v map[string]any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("decoding %s: %v", text, err)
	}
	return v
}

func path(t testing.TB, text string) claims.Path {
	t.Helper()
	p, err := claims.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wantError fails unless err holds all the words.
func wantError(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q lacks %q", err, w)
		}
	}
}

// standard is the configuration of a connection that has none.
func standard(userinfo bool) Config {
	return Config{Attributes: claims.Default(userinfo), Mappings: claims.DefaultMappings(userinfo)}
}

func pipeline(t testing.TB, cfg Config) *Pipeline {
	t.Helper()
	p, err := NewPipeline(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var signedIn = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// ada signs in with this ID token.
func ada(t testing.TB, idToken string) Input {
	t.Helper()
	return Input{
		Connection: "acme", Issuer: "https://tenant.example/", Subject: "auth0|1", SID: "upstream-session",
		AuthTime: signedIn, AMR: []string{"pwd"}, ACR: "basic",
		Documents: claims.Documents{claims.IDToken: object(t, idToken)},
	}
}
