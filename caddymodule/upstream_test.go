package caddymodule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// TestSigningKey proves where the key of private_key_jwt may stand.
func TestSigningKey(t *testing.T) {
	key := ecKey(t)
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEY", key)
	t.Setenv("DIR", filepath.Dir(file))
	r := newResolver(zap.NewNop())
	for _, value := range []string{file, "{env.DIR}/key.pem", "{file." + file + "}", "{env.KEY}", key} {
		got, err := signingKey(r, "provider a", value)
		if err != nil || strings.TrimSpace(got) != strings.TrimSpace(key) {
			t.Errorf("%.40q: %v", value, err)
		}
	}
	if got, err := signingKey(r, "provider a", ""); got != "" || err != nil {
		t.Errorf("without a key: %q, %v", got, err)
	}
}

// TestSigningKeyIsNotQuoted proves that a key in a form that is not known
// stays out of the error. Whoever reads the log of a failed reload could
// otherwise sign in to the provider as this broker.
func TestSigningKeyIsNotQuoted(t *testing.T) {
	for name, value := range map[string]string{
		"a JSON Web Key": `{"kty":"EC","d":"not-a-secret"}`,
		"one line":       `-----BEGIN PRIVATE KEY-----\nnot-a-secret\n-----END PRIVATE KEY-----`,
		"base64 alone":   "not-a-secret/not-a-secret",
		"a damaged key":  "-----BEGIN PRIVATE KEY-----\nbm90LWEtc2VjcmV0\n-----END PRIVATE KEY-----",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KEY", value)
			err := validate(isolated(t, globals("\t\tprovider oidc {\n\t\t\tissuer https://login.example.com\n\t\t\tclient_id a\n"+
				"\t\t\tauthentication_method private_key_jwt {env.KEY}\n\t\t}", "")))
			if err == nil || !strings.Contains(err.Error(), "Caddyfile:4: provider oidc: authentication_method private_key_jwt: ") {
				t.Errorf("error %v", err)
			}
			if err != nil && (strings.Contains(err.Error(), "not-a-secret") || strings.Contains(err.Error(), "bm90")) {
				t.Errorf("the error quotes the key: %v", err)
			}
		})
	}
}
