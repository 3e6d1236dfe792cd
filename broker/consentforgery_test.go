package broker_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

const consentURL = issuer + "/oauth2/consent"

// sent are the headers of a form that our own page sends, changed by the
// pairs of name and value; an empty value removes the header.
func sent(changes ...string) (header []string) {
	own := map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Origin": issuer, "Sec-Fetch-Site": "same-origin",
	}
	for i := 0; i < len(changes); i += 2 {
		own[changes[i]] = changes[i+1]
	}
	for name, value := range own {
		if value != "" {
			header = append(header, name, value)
		}
	}
	return header
}

// answerOf is what the page sends when everything is ticked and allowed.
func answerOf(page *brokertest.Page) url.Values {
	return url.Values{
		"login_id": {page.URL.Query().Get("login_id")}, "login_state": {hidden(page, "login_state")},
		"scope": {"profile", "email"}, "decision": {"allow"},
	}
}

// nothingGranted says whether no consent and no code is stored.
func (w *world) nothingGranted() bool {
	dump := "\n" + w.dump()
	return !strings.Contains(dump, "\nconsent/") && !strings.Contains(dump, "\ngrant/")
}

// The victim looks at the consent page. A page of the attacker's, who has
// asked for access as an application and knows the login's id, sends the form
// with the victim's cookies, or one of his own sign-ins' tokens.
func TestR51_S44_ForgedConsentGrantsNothing(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	page := w.consentPage(b)
	otherTab := w.consentPage(b.NewTab()) // the same browser, another login
	attacker := w.newBrowser()
	theirs := w.consentPage(attacker)
	form := func(change func(url.Values)) url.Values {
		answer := answerOf(page)
		if change != nil {
			change(answer)
		}
		return answer
	}
	token := func(value string) url.Values {
		return form(func(v url.Values) { v.Set("login_state", value) })
	}
	for name, attack := range map[string]struct {
		form   url.Values
		header []string
	}{
		"no token":                    {form: form(func(v url.Values) { v.Del("login_state") })},
		"an empty token":              {form: token("")},
		"a made-up token":             {form: token(strings.Repeat("A", 43))},
		"the login's id for token":    {form: token(page.URL.Query().Get("login_id"))},
		"a token and something more":  {form: token(hidden(page, "login_state") + "A")},
		"half of the token":           {form: token(hidden(page, "login_state")[:20])},
		"the token of another tab":    {form: token(hidden(otherTab, "login_state"))},
		"the token of the attacker":   {form: token(hidden(theirs, "login_state"))},
		"from another site":           {form: form(nil), header: []string{"Origin", "https://evil.example.com", "Sec-Fetch-Site", "cross-site"}},
		"from a sub-domain":           {form: form(nil), header: []string{"Origin", "https://x.auth.example.com", "Sec-Fetch-Site", "same-site"}},
		"from the gated site":         {form: form(nil), header: []string{"Origin", gatedSite, "Sec-Fetch-Site", "same-site"}},
		"from another site, old":      {form: form(nil), header: []string{"Origin", "https://evil.example.com", "Sec-Fetch-Site", ""}},
		"from another port, old":      {form: form(nil), header: []string{"Origin", issuer + ":8443", "Sec-Fetch-Site", ""}},
		"from a sandboxed frame":      {form: form(nil), header: []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}},
		"origin null, old":            {form: form(nil), header: []string{"Origin", "null", "Sec-Fetch-Site", ""}},
		"text/plain":                  {form: form(nil), header: []string{"Content-Type", "text/plain"}},
		"JSON":                        {form: form(nil), header: []string{"Content-Type", "application/json"}},
		"no content type":             {form: form(nil), header: []string{"Content-Type", ""}},
		"a form by name only":         {form: form(nil), header: []string{"Content-Type", "multipart/form-data; boundary=x"}},
		"a type that begins like one": {form: form(nil), header: []string{"Content-Type", "application/x-www-form-urlencoded-not"}},
		"too large":                   {form: form(func(v url.Values) { v.Set("more", strings.Repeat("x", 70<<10)) })},
	} {
		rec := w.asBrowser(b, http.MethodPost, consentURL, attack.form.Encode(), sent(attack.header...)...)
		if rec.Code != http.StatusForbidden || rec.Header().Get("Location") != "" || !w.nothingGranted() {
			t.Errorf("%s: %d, to %q; nothing granted: %t", name, rec.Code, rec.Header().Get("Location"), w.nothingGranted())
		}
	}
	t.Run("in the attacker's browser", func(t *testing.T) {
		rec := w.asBrowser(attacker, http.MethodPost, consentURL, form(nil).Encode(), sent()...)
		if rec.Code != http.StatusBadRequest || !w.nothingGranted() {
			t.Errorf("%d", rec.Code)
		}
	})
	t.Run("the page still works", func(t *testing.T) {
		if got := w.answer(b.Click("consent-allow")); got.Get("code") == "" {
			t.Errorf("the client gets %v", got)
		}
	})
}

// The fields are right, token and all, but they come another way than the
// form does: by a link, in the address, by another method.
func TestR51_ConsentTakesNothingButItsForm(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	page := w.consentPage(b)
	fields := answerOf(page)
	address := consentURL + "?" + fields.Encode()

	var multi bytes.Buffer
	m := multipart.NewWriter(&multi)
	for name, values := range fields {
		for _, value := range values {
			if err := m.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.Close()

	for name, r := range map[string]struct {
		method, address, body string
		header                []string
	}{
		"a link":                       {method: http.MethodGet, address: address},
		"a link that is another":       {method: http.MethodGet, address: address, header: []string{"X-HTTP-Method-Override", "POST"}},
		"a link with a field for it":   {method: http.MethodGet, address: address + "&_method=POST"},
		"a question":                   {method: http.MethodHead, address: address},
		"PUT":                          {method: http.MethodPut, address: consentURL, body: fields.Encode()},
		"PATCH":                        {method: http.MethodPatch, address: consentURL, body: fields.Encode()},
		"DELETE":                       {method: http.MethodDelete, address: address},
		"the fields in the address":    {method: http.MethodPost, address: address},
		"the token in the address":     {method: http.MethodPost, address: address, body: url.Values{"login_id": fields["login_id"], "decision": {"allow"}}.Encode()},
		"the decision in the address":  {method: http.MethodPost, address: consentURL + "?decision=allow", body: url.Values{"login_id": fields["login_id"], "login_state": fields["login_state"]}.Encode()},
		"a multipart form":             {method: http.MethodPost, address: consentURL, body: multi.String(), header: []string{"Content-Type", m.FormDataContentType()}},
		"a form that is none":          {method: http.MethodPost, address: consentURL, body: "%zz=" + fields.Encode()},
		"an override from POST to GET": {method: http.MethodPost, address: consentURL, body: "_method=GET", header: []string{"X-HTTP-Method-Override", "GET"}},
	} {
		rec := w.asBrowser(b, r.method, r.address, r.body, sent(r.header...)...)
		if rec.Header().Get("Location") != "" || !w.nothingGranted() {
			t.Errorf("%s: %d, to %q; nothing granted: %t", name, rec.Code, rec.Header().Get("Location"), w.nothingGranted())
		}
		// A link to the page shows the page.
		if shown := r.method == http.MethodGet || r.method == http.MethodHead; shown != (rec.Code == http.StatusOK) {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
	if got := w.answer(b.Click("consent-allow")); got.Get("code") == "" {
		t.Errorf("the client gets %v", got)
	}
}
