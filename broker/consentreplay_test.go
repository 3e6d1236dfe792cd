package broker_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// withPhone lets the client ask for one scope more than usual.
func withPhone(c *oauth.Client) { c.Scopes = []string{"openid", "profile", "email", "phone"} }

// Whatever is sent after an answer, the answer stays what it was: somebody who
// comes back to the browser cannot turn Cancel into Allow, nor grant more.
func TestS49_R53_AnAnswerIsFinal(t *testing.T) {
	for _, button := range []string{"consent-allow", "consent-deny"} {
		t.Run(button, func(t *testing.T) {
			w := newWorld(t, options{client: withPhone})
			b := w.newBrowser()
			page := w.consentPage(b, "scope", "openid profile email phone")
			b.Check("scope-email", false)
			form := answerOf(page)
			form["scope"] = []string{"profile", "email", "phone"}
			outcome, given := w.answer(b.Click(button)), w.consents()

			same := func(what string, got url.Values) {
				t.Helper()
				if got.Encode() != outcome.Encode() || w.consents() != given {
					t.Errorf("%s: the client gets %v, and got %v before", what, got, outcome)
				}
			}
			b.Back() // the page as it was, without a request
			b.Check("scope-email", true)
			same("the page again, and Allow", w.answer(b.Click("consent-allow")))
			b.Back()
			same("the page again, and Cancel", w.answer(b.Click("consent-deny")))
			for _, decision := range []string{"allow", "deny", "ALLOW", ""} {
				form.Set("decision", decision)
				same("a form that says "+decision, w.answer(b.Post(consentURL, form)))
			}
			same("the page's address", w.answer(b.Get(page.URL.String())))
			other := b.NewTab()
			other.StopBefore = clientSite
			same("its address in another tab", w.answer(other.Get(page.URL.String())))
			if allowed := outcome.Has("code"); allowed != (button == "consent-allow") {
				t.Errorf("the client gets %v", outcome)
			}
			// What was stored with the code has not grown either.
			if status, tokens := w.exchange(outcome.Get("code")); status == http.StatusOK && tokens["scope"] != "openid profile phone" {
				t.Errorf("granted %v", tokens["scope"])
			}
		})
	}
}

// An answer is spent with its login. The next one asks again, and the old
// form has no say in it.
func TestR53_AnOldFormDoesNotAnswerTheNextRequest(t *testing.T) {
	w := newWorld(t, options{client: withPhone})
	b := w.newBrowser()
	old := answerOf(w.consentPage(b))
	first := w.answer(b.Click("consent-deny"))
	page := w.consentPage(b)
	mixed := answerOf(page)
	mixed["login_state"] = old["login_state"]
	if rec := w.asBrowser(b, http.MethodPost, consentURL, mixed.Encode(), sent()...); rec.Code != http.StatusForbidden {
		t.Errorf("the token of the login before: %d", rec.Code)
	}
	if again := w.answer(b.Post(consentURL, old)); again.Get("error") != first.Get("error") || !w.nothingGranted() {
		t.Errorf("the form of the login before: %v", again)
	}
}

// A hand that trembles on the button, or a script: all forms arrive at once.
func TestS49_ManyAnswersAtOnce(t *testing.T) {
	const forms = 16
	for name, decision := range map[string]func(i int) string{
		"all allow":       func(int) string { return "allow" },
		"all cancel":      func(int) string { return "deny" },
		"half each":       func(i int) string { return []string{"allow", "deny"}[i%2] },
		"different ticks": func(int) string { return "allow" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, options{})
			b := w.newBrowser()
			page := w.consentPage(b)
			answers := make([]*httptest.ResponseRecorder, forms)
			start, all := make(chan struct{}), sync.WaitGroup{}
			for i := range forms {
				form := answerOf(page)
				form.Set("decision", decision(i))
				if name == "different ticks" && i%2 == 0 {
					form["scope"] = []string{"email"}
				}
				r := httptest.NewRequest(http.MethodPost, consentURL, strings.NewReader(form.Encode()))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("Origin", issuer)
				for _, c := range b.Cookies(consentURL) {
					r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
				}
				answers[i] = httptest.NewRecorder()
				all.Go(func() {
					<-start
					w.broker.ServeHTTP(answers[i], r)
				})
			}
			close(start)
			all.Wait()

			outcome := answers[0].Header().Get("Location")
			for i, rec := range answers {
				if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != outcome {
					t.Errorf("form %d: %d, to %s, and the first to %s", i, rec.Code, rec.Header().Get("Location"), outcome)
				}
			}
			events := w.events("scopes_granted", "consent_denied")
			if len(events) != 1 {
				t.Fatalf("%d answers were taken: %v", len(events), events)
			}
			to, err := url.Parse(outcome)
			if err != nil {
				t.Fatal(err)
			}
			allowed := events[0]["msg"] == "scopes_granted"
			if got := to.Query(); got.Has("code") != allowed || strings.Contains(w.dump(), "consent/") != allowed {
				t.Fatalf("%v was taken, and the client gets %v", events[0]["msg"], got)
			}
			if !allowed {
				return
			}
			status, tokens := w.exchange(to.Query().Get("code"))
			if want := strings.Join(textsOf(events[0]["scopes"]), " "); status != http.StatusOK || tokens["scope"] != want {
				t.Errorf("the code: %d, scopes %v, want %s", status, tokens["scope"], want)
			}
			if status, _ := w.exchange(to.Query().Get("code")); status != http.StatusBadRequest {
				t.Errorf("the code again: %d", status)
			}
		})
	}
}

func textsOf(list any) (texts []string) {
	for _, v := range list.([]any) {
		texts = append(texts, v.(string))
	}
	return texts
}

// consents are the stored grants, as text.
func (w *world) consents() string {
	w.Helper()
	keys, err := w.store.List(w.Context(), "consent/", "", 100)
	if err != nil {
		w.Fatal(err)
	}
	var out strings.Builder
	for _, key := range keys {
		value, err := w.store.Get(w.Context(), key)
		if err != nil {
			w.Fatal(err)
		}
		out.WriteString(key + "\n" + string(value) + "\n")
	}
	return out.String()
}
