package broker_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

// open opens the values window for a minute.
func (w *world) open() {
	w.Helper()
	if _, err := w.broker.OpenValues(w.Context(), time.Minute); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(w.broker.CloseValues)
}

// newestValues are the newest sign-in, and its values by stage.
func (w *world) newestValues() (*op.SignIn, map[string]map[string]any) {
	w.Helper()
	s, err := w.broker.SignIn(w.Context(), w.newest().LoginID)
	if err != nil {
		w.Fatal(err)
	}
	if s.Values == nil {
		return s, nil
	}
	out := map[string]map[string]any{}
	for _, stage := range s.Values.Stages {
		var values map[string]any
		if err := json.Unmarshal(stage.Values, &values); err != nil {
			w.Fatal(err)
		}
		out[string(stage.Stage)] = values
	}
	return s, out
}

func TestS94_ValuesOfASignInAreShownWhileAWindowIsOpen(t *testing.T) {
	w := lossy(t)
	issued := w.watchTokens()
	w.tokens("ada")
	if s, _ := w.newestValues(); s.Values != nil {
		t.Fatal("values are kept without a window")
	}
	w.open()
	id, access := w.tokens("ada")
	s, values := w.newestValues()
	document, _ := values["upstream"]["id_token"].(map[string]any)
	if document["nickname"] != traceMarker || document["nonce"] != "[left out]" {
		t.Errorf("the provider told %v", document)
	}
	if values["mapping"]["nickname"] != traceMarker || values["script"]["nickname"] != traceMarker+"-2" {
		t.Errorf("nickname: mapped %v, after the script %v", values["mapping"]["nickname"], values["script"]["nickname"])
	}
	t.Run("what tokens carry is what they carried", func(t *testing.T) {
		for kind, token := range map[claims.TokenType]map[string]any{claims.IDToken: id, claims.AccessToken: access} {
			carried, _ := values["tokens"][string(kind)].(map[string]any)
			for name, v := range carried {
				if diff := cmp.Diff(token[name], v); diff != "" {
					t.Errorf("%s: %s (-token +shown):\n%s", kind, name, diff)
				}
			}
		}
		if carried, _ := values["tokens"]["id_token"].(map[string]any); carried["email"] != traceMarker+"@example.com" {
			t.Errorf("email %v", carried["email"])
		}
	})
	t.Run("never a token, and nothing in log and records", func(t *testing.T) {
		shown, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		tokens := issued()
		if len(tokens) == 0 {
			t.Fatal("no token was issued")
		}
		for _, token := range tokens {
			if strings.Contains(string(shown), token) {
				t.Error("a token of the upstream is shown")
			}
		}
		if strings.Contains(w.logs.String(), traceMarker) || strings.Contains(strings.Join(w.traces(), ""), traceMarker) {
			t.Error("a value is in the log or in a stored record")
		}
	})
	t.Run("closed, they are gone", func(t *testing.T) {
		w.broker.CloseValues()
		w.open()
		if s, _ := w.newestValues(); s.Values != nil {
			t.Error("another window shows them")
		}
		w.tokens("ada")
		w.clock.Advance(time.Minute)
		if s, _ := w.newestValues(); s.Values != nil || w.broker.ValuesWindow().Open {
			t.Error("shown when the time is over")
		}
	})
	t.Run("another configuration has no window", func(t *testing.T) {
		w.open()
		w.tokens("ada")
		w.newBroker(options{})
		if s, _ := w.newestValues(); s.Values != nil || w.broker.ValuesWindow().Open {
			t.Error("the window survives")
		}
	})
}

func TestValuesAfterTheApplication(t *testing.T) {
	w := newWorld(t, options{config: application()})
	w.open()
	b := w.newBrowser()
	v := w.visitApp(b)
	page := b.Get(v.back(v.complete(`{"plan":"gold"}`)))
	if page.Has("consent-form") {
		page = b.Click("consent-allow")
	}
	w.exchange(w.answer(page).Get("code"))
	_, values := w.newestValues()
	if values["mapping"]["plan"] != nil || values["application"]["plan"] != "gold" {
		t.Errorf("plan: mapped %v, after the application %v", values["mapping"]["plan"], values["application"]["plan"])
	}
	if _, ran := values["script"]; ran {
		t.Error("there is no script, and its values")
	}
}

// From the cache no upstream and no mapping is told, only what tokens carry.
func TestValuesFromTheCache(t *testing.T) {
	w := newWorld(t, options{config: cached(time.Hour)})
	b := w.newBrowser()
	w.authorize(b, "ada")
	w.clock.Advance(time.Second)
	w.open()
	w.authorize(b, "ada")
	if _, values := w.newestValues(); len(values) != 1 || values["tokens"] == nil {
		t.Errorf("stages %v", values)
	}
}

// A sign-in that is turned away shows how far it came.
func TestValuesOfAFailedSignIn(t *testing.T) {
	w := newWorld(t, scripted(`module.exports = async () => { throw new Error("no") }`))
	w.open()
	w.authorize(w.newBrowser(), "ada")
	s, values := w.newestValues()
	if s.Outcome == op.OutcomeCode || values["mapping"]["name"] == nil || values["script"] != nil || values["tokens"] != nil {
		t.Errorf("%s: %v", s.Outcome, values)
	}
}
