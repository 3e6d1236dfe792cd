package authn

import "time"

// An Authorization is what a user let one client have: the authentication
// context, the scopes granted, and what tokens minted from it must repeat.
// Codes and gate sessions carry one.
type Authorization struct {
	// ID names the authorization. The access token issued for it at the
	// token endpoint bears the ID as its jti, by which it can be revoked.
	ID string `json:"id"`

	ClientID string `json:"client_id"`

	// SID is the SSO session's public id, the "sid" of ID tokens.
	SID string `json:"sid"`

	Scopes []string `json:"scopes"`
	Nonce  string   `json:"nonce,omitempty"`

	// Subject is what this client calls the user: the context's subject,
	// or the pairwise one made for the client's sector.
	Subject string `json:"sub"`

	// Claims were asked for one by one, and the user let the client have
	// them.
	Claims RequestedClaims `json:"claims,omitzero"`

	// Context is the user's, complete; what of it a token may hold is
	// decided when the token is minted.
	Context *Context `json:"context"`

	// Created is when the authorization was given.
	Created time.Time `json:"created"`
}

// RequestedClaims are names of claims, by the token they are asked for in
// (OpenID Connect Core, 5.5).
type RequestedClaims struct {
	IDToken  []string `json:"id_token,omitempty"`
	Userinfo []string `json:"userinfo,omitempty"`
}

// IsZero reports whether none is asked for.
func (r RequestedClaims) IsZero() bool { return len(r.IDToken) == 0 && len(r.Userinfo) == 0 }

// View returns what the client's claims can be read from: the context's
// view, under the client's own name for the user.
func (a *Authorization) View() map[string]any {
	view := a.Context.View(a.Scopes)
	view["sub"] = a.Subject
	return view
}
