package broker_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// events returns the log lines with one of these messages.
func (w *world) events(names ...string) (lines []map[string]any) {
	w.Helper()
	for line := range strings.Lines(w.logs.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			w.Fatal(err)
		}
		if name, _ := entry["msg"].(string); slices.Contains(names, name) {
			lines = append(lines, entry)
		}
	}
	return lines
}

// The audit events of an answer on the consent page say who gave what to
// whom, by name.
func TestM92_ConsentIsAudited(t *testing.T) {
	const claimsRequest = `{"id_token":{"email":null},"userinfo":{"email_verified":null}}`
	w := newWorld(t, options{})
	t.Run("allowed", func(t *testing.T) {
		b := w.newBrowser()
		page := w.consentPage(b, "scope", "openid profile", "claims", claimsRequest)
		if !w.answer(b.Click("consent-allow")).Has("code") {
			t.Fatal("no code")
		}
		b.Get(page.URL.String()) // the back button is no second answer
		lines := w.events("scopes_granted", "claims_granted", "consent_denied")
		if len(lines) != 2 || lines[0]["msg"] != "scopes_granted" || lines[1]["msg"] != "claims_granted" {
			t.Fatalf("logged %v", lines)
		}
		for _, line := range lines {
			if line["client"] != "notes" || line["connection"] != "auth0" || len(line["subject"].(string)) != 64 || len(line["trace"].(string)) != 26 {
				t.Errorf("%v", line)
			}
		}
		if got := texts(lines[0]["scopes"]); !slices.Equal(got, []string{"openid", "profile"}) {
			t.Errorf("scopes %v", got)
		}
		if id, info := texts(lines[1]["id_token"]), texts(lines[1]["userinfo"]); !slices.Equal(append(id, info...), []string{"email", "email_verified"}) {
			t.Errorf("claims %v, %v", id, info)
		}
		if strings.Contains(w.logs.String(), "ada@example.com") {
			t.Error("a value is in the log")
		}
	})
	t.Run("denied", func(t *testing.T) {
		b := w.newBrowser()
		w.consentPage(b, "prompt", "consent")
		b.Click("consent-deny")
		lines := w.events("scopes_granted", "claims_granted", "consent_denied")
		if len(lines) != 3 || lines[2]["msg"] != "consent_denied" || lines[2]["client"] != "notes" {
			t.Errorf("logged %v", lines)
		}
	})
}

func texts(v any) (out []string) {
	list, _ := v.([]any)
	for _, item := range list {
		out = append(out, item.(string))
	}
	return out
}
