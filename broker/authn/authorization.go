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

	// Context is the user's, complete; what of it a token may hold is
	// decided when the token is minted.
	Context *Context `json:"context"`

	// Created is when the authorization was given.
	Created time.Time `json:"created"`
}
