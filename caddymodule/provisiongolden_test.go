package caddymodule

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"strings"
	"testing"
)

// TestProvision validates each testdata/provision/*.caddyfiletest as "caddy
// validate" does: a Caddyfile, a dashed line, and what the operator then
// reads: a line "warning: ..." for each entry of the log at that level, and
// at the end "provision: ok" or "provision: ..." with the error.
func TestProvision(t *testing.T) {
	setVariables(t)
	t.Setenv("WELCOME_SECRET", "not-a-secret-welcome")
	t.Setenv("EC_KEY", ecKey(t))
	golden(t, "testdata/provision/*.caddyfiletest", provisioned)
	assertPoolsEmpty(t)
}

// ecKey returns a private key in PEM.
func ecKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func provisioned(t *testing.T, input string) string {
	t.Helper()
	s := &server{T: t, dir: t.TempDir()}
	raw, _, err := adapt(input)
	if err != nil {
		t.Fatalf("does not adapt, so it belongs into testdata: %v", err)
	}
	err = validate(s.logging(s.quiet(s.patch(raw, nil))))
	var out strings.Builder
	for _, warning := range s.warnings() {
		out.WriteString("warning: " + warning + "\n")
	}
	result := "ok"
	if err != nil {
		result = err.Error()
	}
	for _, secret := range []string{upstreamSecret, "not-a-secret-welcome"} {
		if strings.Contains(result+out.String(), secret) {
			t.Error("the outcome holds a secret")
		}
	}
	return out.String() + "provision: " + result + "\n"
}

// logging lets a configuration write to the test's log file.
func (s *server) logging(config []byte) []byte {
	s.Helper()
	var out map[string]any
	if err := json.Unmarshal(config, &out); err != nil {
		s.Fatal(err)
	}
	writer := map[string]any{"output": "file", "filename": s.logFile()}
	out["logging"] = map[string]any{"logs": map[string]any{"default": map[string]any{
		"writer": writer, "encoder": map[string]any{"format": "json"},
	}}}
	return encode(s.T, out)
}

// warnings returns the warnings of our modules in the log.
func (s *server) warnings() []string {
	s.Helper()
	raw, err := os.ReadFile(s.logFile())
	if err != nil && !os.IsNotExist(err) {
		s.Fatal(err)
	}
	var warnings []string
	for line := range bytes.Lines(raw) {
		var entry struct{ Level, Logger, Msg string }
		if err := json.Unmarshal(line, &entry); err != nil {
			s.Fatal(err)
		}
		if entry.Level == "warn" && strings.Contains(entry.Logger, "auth_") {
			warnings = append(warnings, entry.Msg)
		}
	}
	return warnings
}
