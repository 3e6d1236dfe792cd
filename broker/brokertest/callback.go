package brokertest

import (
	"maps"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"
)

// codeLifetime is much shorter than Auth0's ten minutes: the browser that
// carries the code is on its way already.
const codeLifetime = time.Minute

// A grant is what a person has agreed to, and what tokens are made of.
type grant struct {
	client       string
	user         string
	sid          string
	scopes       []string
	audience     string
	organization Organization

	nonce        string
	authTime     time.Time
	tellAuthTime bool // max_age or prompt=login was sent
	factor       bool // a second factor was given just now
}

// A code stands for a grant until it is redeemed, once.
type code struct {
	grant
	redirectURI string
	challenge   string
	expires     time.Time
}

// grantCode ends the transaction with a code at the callback.
func (t *Tenant) grantCode(w http.ResponseWriter, r *http.Request, tx transaction, s session, user User) {
	req := tx.request
	c := code{
		grant: grant{
			client: req.clientID, user: user.Name, sid: s.sid, scopes: req.scopes,
			audience: req.audience, organization: req.organization,
			nonce: req.nonce, authTime: s.authTime, factor: tx.factor,
			// A person can strip prompt=login from the URL, and then
			// auth_time is missing: that is how an application notices.
			tellAuthTime: req.hasMaxAge || req.prompts("login"),
		},
		redirectURI: req.redirectURI, challenge: req.challenge, expires: t.now().Add(codeLifetime),
	}
	value := t.random(32)
	t.mu.Lock()
	t.codes[value] = c
	t.mu.Unlock()
	t.log("sign-in answered", zap.String("client", req.clientID), zap.String("user", user.Name))
	t.answer(w, r, tx, url.Values{"code": {value}})
}

// answer sends the browser to the callback, which is registered, with
// params and the state.
func (t *Tenant) answer(w http.ResponseWriter, r *http.Request, tx transaction, params url.Values) {
	t.forget(tx)
	if tx.request.state != "" {
		params.Set("state", tx.request.state)
	}
	if change := t.faults.get().EditCallback; change != nil {
		change(params)
	}
	if tx.request.responseMode == "form_post" {
		t.showFormPost(w, tx.request.redirectURI, params)
		return
	}
	target, err := url.Parse(tx.request.redirectURI)
	if err != nil {
		t.showError(w, http.StatusForbidden, "callback_mismatch", "The registered callback cannot be read.")
		return
	}
	query := target.Query()
	maps.Copy(query, params)
	target.RawQuery = query.Encode()
	// 303, so that the form of a page is not posted on to the callback.
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}
