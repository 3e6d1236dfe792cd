package demo

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
)

// visitCookie holds the handle of a visit.
const visitCookie = "auth_broker_demo"

// A visit is what one sign-in brought. It is sealed at rest, as everything
// that the store holds, and in no log.
type visit struct {
	// SID is the session at the broker, by its ID token.
	SID string `json:"sid"`

	// Login is the hash of the state that it came by.
	Login string `json:"login"`

	// Asked and Granted are scopes.
	Asked   []string `json:"asked"`
	Granted []string `json:"granted"`

	AccessToken   string    `json:"access_token"`
	AccessExpires time.Time `json:"access_expires"`
	IDToken       string    `json:"id_token"`
	IDExpires     time.Time `json:"id_expires"`

	// RefreshToken is empty where there is none: RefreshEnded says that there
	// was one, and the broker has refused it. RefreshExpires is zero where the
	// broker does not tell.
	RefreshToken   string    `json:"refresh_token,omitempty"`
	RefreshExpires time.Time `json:"refresh_expires,omitzero"`
	RefreshEnded   bool      `json:"refresh_ended,omitempty"`

	// Userinfo is the answer of that endpoint, a JSON object.
	Userinfo json.RawMessage `json:"userinfo"`

	// Origins of the values, by their place in the authentication context.
	Origins authn.Origins `json:"origins,omitempty"`
}

// visit returns what the browser has from a sign-in; session.ErrNoSession if
// it has nothing.
func (a *App) visit(r *http.Request) (*visit, error) {
	v := new(visit)
	if err := a.Sessions.AppSession(r.Context(), ClientID, a.Cookies.Get(r, visitCookie), v); err != nil {
		return nil, err
	}
	return v, nil
}
