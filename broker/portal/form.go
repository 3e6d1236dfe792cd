package portal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// errForged is returned for a form that the portal has not drawn for this
// user in this session, or too long ago.
var errForged = errors.New("the form is not one that was shown in this session")

func reasonOf(err error) string {
	switch {
	case errors.Is(err, errForged):
		return "forged_form"
	case errors.Is(err, session.ErrNoSession):
		return "not_found"
	}
	return "store_unavailable"
}

const (
	formLifetime = 12 * time.Hour // a page may stay open as long as a session
	doneLifetime = time.Minute    // a notice is about what was just done
	maxForm      = 16 << 10
)

// A ticket is what the portal seals for itself, for one user in one session.
type ticket struct {
	SID     string  `json:"sid"`
	Subject string  `json:"sub"`
	Expires int64   `json:"exp"`
	Done    ui.Done `json:"done,omitempty"`
}

// What tickets are for; one is never taken for the other.
const (
	formPurpose = "portal_form"
	donePurpose = "portal_done"
)

func (p *Portal) seal(ctx context.Context, purpose string, a *authn.Authorization, lifetime time.Duration, done ui.Done) (string, error) {
	raw, err := json.Marshal(ticket{
		SID: a.SID, Subject: a.Context.Subject, Expires: p.Now().Add(lifetime).Unix(), Done: done,
	})
	if err != nil {
		return "", err
	}
	return p.Sealer.Seal(ctx, purpose, raw)
}

// open returns a ticket of the user and the session, else errForged.
func (p *Portal) open(ctx context.Context, purpose string, a *authn.Authorization, sealed string) (ticket, error) {
	raw, err := p.Sealer.Open(ctx, purpose, sealed)
	if errors.Is(err, store.ErrSealed) {
		return ticket{}, errForged
	}
	if err != nil {
		return ticket{}, fmt.Errorf("opening a form: %w", err)
	}
	var t ticket
	if json.Unmarshal(raw, &t) != nil || t.SID != a.SID || t.Subject != a.Context.Subject || p.Now().Unix() >= t.Expires {
		return ticket{}, errForged
	}
	return t, nil
}

// readForm returns the form of a POST, or an error that wraps errForged.
//
// Attacker: a site that the user visits, or another user of the portal. Move:
// a form that posts here by itself with the user's cookie, with no token, the
// attacker's own, or an old one. Harm: applications that stop working, and
// people signed out at will. So the request has to come from our own origin,
// as browsers tell, which "null" is not; and the token has to be one that was
// sealed for this user and this session. ParseForm reads nothing but forms:
// text/plain, which can be sent from anywhere, has no token for it.
func (p *Portal) readForm(w http.ResponseWriter, r *http.Request, a *authn.Authorization) (url.Values, error) {
	if err := new(http.CrossOriginProtection).Check(r); err != nil {
		return nil, fmt.Errorf("%w: %w", errForged, err)
	}
	if r.Header.Get("Origin") == "null" {
		return nil, fmt.Errorf("%w: its origin is null", errForged)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.ParseForm() != nil || oauth.CheckParams(r.PostForm) != nil {
		return nil, fmt.Errorf("%w: it cannot be read", errForged)
	}
	if _, err := p.open(r.Context(), formPurpose, a, r.PostForm.Get("token")); err != nil {
		return nil, err
	}
	return r.PostForm, nil
}

// report leads back to the portal, which says what was done. The notice is
// sealed: a link must not be able to say it.
func (p *Portal) report(w http.ResponseWriter, r *http.Request, a *authn.Authorization, done ui.Done, section string) {
	sealed, err := p.seal(r.Context(), donePurpose, a, doneLifetime, done)
	if err != nil {
		p.fail(w, r, reasonOf(err), err)
		return
	}
	p.redirect(w, p.Base+"?"+url.Values{"done": {sealed}}.Encode()+"#"+section)
}

// reported returns what a link of report says; anything else says nothing.
func (p *Portal) reported(r *http.Request, a *authn.Authorization) ui.Done {
	t, err := p.open(r.Context(), donePurpose, a, r.URL.Query().Get("done"))
	if err != nil {
		return ""
	}
	return t.Done
}
