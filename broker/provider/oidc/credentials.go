package oidc

import (
	"cmp"
	"errors"
	"fmt"
)

// How the client authenticates at the token endpoint (OpenID Connect Core,
// 9).
const (
	AuthBasic         = "client_secret_basic"
	AuthPost          = "client_secret_post"
	AuthPrivateKeyJWT = "private_key_jwt"
	AuthNone          = "none"
)

// checkCredentials checks that the client has what its method needs, and
// nothing that belongs to another method: an operator would take a secret
// that is set and never sent for a protection.
func (c Config) checkCredentials() error {
	method := cmp.Or(c.AuthMethod, AuthBasic)
	var secret, key bool
	switch method {
	case AuthBasic, AuthPost:
		secret = true
	case AuthPrivateKeyJWT:
		key = true
	case AuthNone:
	default:
		return fmt.Errorf("authentication_method %q is unknown: write %s, %s, %s or %s",
			method, AuthBasic, AuthPost, AuthPrivateKeyJWT, AuthNone)
	}
	switch {
	case !key && c.SigningKey != nil:
		return fmt.Errorf("a signing key is given, but authentication_method is %s: "+
			"write authentication_method %s, or remove the key", method, AuthPrivateKeyJWT)
	case key && c.SigningKey == nil:
		return fmt.Errorf("authentication_method %s lacks its key: "+
			"write authentication_method %s {file./run/secrets/key.pem}", method, method)
	case secret && c.ClientSecret == "":
		return errors.New("client_secret is missing: write client_secret {env.NAME} or client_secret {file.path}")
	case !secret && c.ClientSecret != "":
		return fmt.Errorf("client_secret is set, but authentication_method %s sends none: remove one of them", method)
	}
	return nil
}
