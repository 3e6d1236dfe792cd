package demo

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// A part of a token, decoded. Numbers stay as they are written.
func decode(part string) map[string]any {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return nil
	}
	return object(raw)
}

func object(raw []byte) (out map[string]any) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&out) != nil {
		return nil
	}
	return out
}

// payload returns the claims of a token, whoever signed it.
func payload(raw string) map[string]any {
	if parts := strings.Split(raw, "."); len(parts) == 3 {
		return decode(parts[1])
	}
	return nil
}

// indented returns v as people read JSON.
func indented(v any) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSpace(out.String())
}

// token returns a token as it came and as it reads. The signature is checked
// anew each time, with the keys that the broker publishes now; that the token
// may have expired meanwhile is told apart.
func (a *App) token(ctx context.Context, raw, audience string, expires time.Time) ui.DemoToken {
	out := ui.DemoToken{Raw: raw, Expires: expires}
	if parts := strings.Split(raw, "."); len(parts) == 3 {
		out.Header, out.Payload = indented(decode(parts[0])), indented(decode(parts[1]))
	}
	ctx = a.online(ctx)
	if provider, err := a.discover(ctx); err == nil {
		_, err = provider.VerifierContext(ctx, &oidc.Config{ClientID: audience, SkipExpiryCheck: true, Now: a.Now}).Verify(ctx, raw)
		out.Verified = err == nil
	}
	return out
}
