package brokertest

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// serveLogout is RP-initiated logout. Unless a hint names the very session
// of this browser the person is asked first: otherwise any page could sign
// people out with a link.
func (t *Tenant) serveLogout(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		t.showError(w, http.StatusBadRequest, "invalid_request", "The request cannot be read.")
		return
	}
	clientID, sid := r.Form.Get("client_id"), r.Form.Get("logout_hint")
	if hint := r.Form.Get("id_token_hint"); hint != "" {
		hintClient, hintSID, ok := t.readHint(hint)
		if !ok || (clientID != "" && clientID != hintClient) {
			t.showError(w, http.StatusBadRequest, "invalid_request", "The id_token_hint is not valid.")
			return
		}
		clientID, sid = hintClient, hintSID
	}
	returnTo, state := r.Form.Get("post_logout_redirect_uri"), r.Form.Get("state")
	if returnTo != "" && !t.mayReturn(clientID, returnTo) {
		t.showError(w, http.StatusBadRequest, "invalid_request",
			"The post_logout_redirect_uri is not in the list of allowed logout URLs of the application.")
		return
	}
	handle, s, live := t.session(r)
	if live && s.sid != sid {
		render(w, http.StatusOK, "logout", logoutPage{
			page: t.page("Sign out"), ClientID: clientID, ReturnTo: returnTo, State: state,
		})
		return
	}
	t.signOut(w, handle)
	t.signedOut(w, r, returnTo, state)
}

// submitLogout is the answer of the confirmation page. The address is
// checked again, for the form came from the browser.
func (t *Tenant) submitLogout(w http.ResponseWriter, r *http.Request) {
	returnTo := r.PostFormValue("post_logout_redirect_uri")
	if returnTo != "" && !t.mayReturn(r.PostFormValue("client_id"), returnTo) {
		t.showError(w, http.StatusBadRequest, "invalid_request", "That address is not allowed.")
		return
	}
	handle, _, _ := t.session(r)
	t.signOut(w, handle)
	t.signedOut(w, r, returnTo, r.PostFormValue("state"))
}

// serveOldLogout is Auth0's own endpoint, which never asks.
func (t *Tenant) serveOldLogout(w http.ResponseWriter, r *http.Request) {
	returnTo := r.URL.Query().Get("returnTo")
	if returnTo != "" && !t.mayReturn(r.URL.Query().Get("client_id"), returnTo) {
		t.showError(w, http.StatusBadRequest, "invalid_request",
			"The returnTo address is not in the list of allowed logout URLs of the application.")
		return
	}
	handle, _, _ := t.session(r)
	t.signOut(w, handle)
	t.signedOut(w, r, returnTo, "")
}

// mayReturn compares exactly, query included.
func (t *Tenant) mayReturn(clientID, returnTo string) bool {
	client, ok := t.client(clientID)
	return ok && slices.Contains(client.LogoutURLs, returnTo)
}

// signedOut ends a logout: at returnTo, which the caller has checked, or
// with a page.
func (t *Tenant) signedOut(w http.ResponseWriter, r *http.Request, returnTo, state string) {
	target, err := url.Parse(returnTo)
	if returnTo == "" || err != nil {
		render(w, http.StatusOK, "signedout", t.page("Signed out"))
		return
	}
	if state != "" {
		query := target.Query()
		query.Set("state", state)
		target.RawQuery = query.Encode()
	}
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}

// readHint returns the application and session of an ID token of ours; it
// may have expired (OpenID Connect RP-Initiated Logout, 2).
func (t *Tenant) readHint(raw string) (clientID, sid string, ok bool) {
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256, jose.PS256})
	if err != nil {
		return "", "", false
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Audience string `json:"aud"`
		SID      string `json:"sid"`
	}
	set := t.keys.public()
	if err := token.Claims(&set, &claims); err != nil || claims.Issuer != t.opts.Issuer {
		return "", "", false
	}
	return claims.Audience, claims.SID, true
}
