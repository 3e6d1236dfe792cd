package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"go.uber.org/zap"
	"golang.org/x/oauth2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Callback is the redirect URI. An answer counts in the browser that asked,
// once: the broker refuses a code that comes again.
func (a *App) Callback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if oauth.CheckParams(query) != nil {
		a.page(w, r, failure{reason: oauth.InvalidRequest, status: http.StatusBadRequest})
		return
	}
	state, binding := query.Get("state"), a.Cookies.Get(r, bindingCookie)
	l, err := a.opened(r.Context(), state)
	switch {
	case errors.Is(err, store.ErrSealed):
		a.page(w, r, failure{reason: "stale_sign_in"})
	case err != nil:
		a.page(w, r, failure{reason: "store_unavailable", err: err})
	case binding == "":
		a.page(w, r, failure{reason: "cookies_missing"})
	case !l.bound(binding, a.Now()):
		a.page(w, r, failure{reason: "stale_sign_in"})
	case a.brought(r, state):
		redirect(w, a.path(PathFront)) // reload, or back button: nothing is redeemed twice
	case query.Get("error") != "":
		reason, trace := reasonOf(query)
		a.page(w, r, failure{reason: reason, code: query.Get("error"), trace: trace})
	default:
		a.finish(w, r, l, binding)
	}
}

// brought says whether the browser has what the sign-in with this state
// brought.
func (a *App) brought(r *http.Request, state string) bool {
	v, err := a.visit(r)
	return err == nil && v.Login == hash(state)
}

// finish redeems the code and keeps what it brings, in place of what an
// earlier sign-in had brought.
func (a *App) finish(w http.ResponseWriter, r *http.Request, l *login, binding string) {
	v, err := a.redeem(r.Context(), r.URL.Query(), l, binding)
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.ErrorCode == oauth.InvalidGrant {
		a.page(w, r, failure{reason: "stale_sign_in", err: errors.New("the code was refused")})
		return
	}
	if err != nil {
		a.page(w, r, failure{reason: oauth.ServerError, err: err})
		return
	}
	if a.keep(w, r, v) {
		redirect(w, a.path(PathFront))
	}
}

// keep keeps what a sign-in or a refresh brought, in place of what there was.
// Otherwise it has answered.
func (a *App) keep(w http.ResponseWriter, r *http.Request, v *visit) bool {
	handle, err := a.Sessions.CreateApp(r.Context(), ClientID, v.SID, v)
	switch {
	case errors.Is(err, session.ErrNoSession):
		a.page(w, r, failure{reason: "session_ended"})
		return false
	case err != nil:
		a.page(w, r, failure{reason: "store_unavailable", err: err})
		return false
	}
	if old := a.Cookies.Get(r, visitCookie); old != "" {
		if err := a.Sessions.EndApp(r.Context(), ClientID, old); err != nil {
			a.Log.Warn("an earlier visit of the demo could not be forgotten", zap.Error(err)) // it ends with the session
		}
	}
	a.Cookies.Set(w, visitCookie, handle, 0)
	return true
}

// redeem exchanges the code, and checks what comes as a client has to (OpenID
// Connect Core, 3.1.3.7): signature, issuer, audience and expiry by the
// library, nonce and at_hash here.
func (a *App) redeem(ctx context.Context, query url.Values, l *login, binding string) (*visit, error) {
	ctx = a.online(ctx)
	provider, err := a.discover(ctx)
	if err != nil {
		return nil, err
	}
	state := query.Get("state")
	tokens, err := a.config(provider, nil).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(derive(binding, "verifier", state)))
	if err != nil {
		return nil, err
	}
	id, sid, err := a.verified(ctx, provider, tokens)
	if err != nil {
		return nil, err
	}
	if id.Nonce != derive(binding, "nonce", state) {
		return nil, errors.New("the ID token has another nonce")
	}
	v := a.brings(tokens, id)
	v.Login, v.SID, v.Asked = hash(state), sid, l.Scopes
	return v, a.complete(ctx, provider, tokens, id.Subject, v)
}

// verified returns the ID token of an answer, checked, and the session that
// it names.
func (a *App) verified(ctx context.Context, provider *oidc.Provider, tokens *oauth2.Token) (*oidc.IDToken, string, error) {
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: ClientID, Now: a.Now}).Verify(ctx, idToken(tokens))
	if err != nil {
		return nil, "", fmt.Errorf("verifying the ID token: %w", err)
	}
	if err := id.VerifyAccessToken(tokens.AccessToken); err != nil {
		return nil, "", fmt.Errorf("verifying the access token: %w", err)
	}
	var about struct {
		SID string `json:"sid"`
	}
	if err := id.Claims(&about); err != nil {
		return nil, "", fmt.Errorf("verifying the ID token: %w", err)
	}
	return id, about.SID, nil
}

func idToken(tokens *oauth2.Token) string {
	raw, _ := tokens.Extra("id_token").(string)
	return raw
}

// brings is what the token endpoint has answered.
func (a *App) brings(tokens *oauth2.Token, id *oidc.IDToken) *visit {
	now := a.Now()
	v := &visit{
		AccessToken: tokens.AccessToken, IDToken: idToken(tokens), RefreshToken: tokens.RefreshToken,
		AccessExpires: now.Add(time.Duration(tokens.ExpiresIn) * time.Second).UTC(), IDExpires: id.Expiry.UTC(),
	}
	if left, ok := tokens.Extra("refresh_token_expires_in").(float64); ok && v.RefreshToken != "" {
		v.RefreshExpires = now.Add(time.Duration(left) * time.Second).UTC()
	}
	granted, _ := tokens.Extra("scope").(string)
	v.Granted = strings.Fields(granted)
	return v
}

// complete adds what the tokens do not say themselves. Userinfo has to be
// about the same person (OpenID Connect Core, 5.3.2).
func (a *App) complete(ctx context.Context, provider *oidc.Provider, tokens *oauth2.Token, subject string, v *visit) error {
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return fmt.Errorf("reading userinfo: %w", err)
	}
	if info.Subject != subject {
		return errors.New("reading userinfo: it is about somebody else")
	}
	var told json.RawMessage
	if err := info.Claims(&told); err != nil {
		return fmt.Errorf("reading userinfo: %w", err)
	}
	v.Userinfo = told
	v.Origins, err = a.Origins(ctx, tokens.AccessToken)
	return err
}

// failedIn is how the broker describes a failure to its clients.
var failedIn = regexp.MustCompile(`\(reason ([a-z_]{1,64}), trace ([A-Z0-9]{1,64})\)$`)

// errorCode is what OAuth errors look like; whatever else a link brings goes
// neither into the page nor into the log.
var errorCode = regexp.MustCompile(`^[a-z_]{1,64}$`)

// reasonOf returns why a sign-in failed: the broker's reason, or the OAuth
// error. Both are keys of the page's table; unknown ones show its fallback.
func reasonOf(query url.Values) (reason, trace string) {
	if m := failedIn.FindStringSubmatch(query.Get("error_description")); m != nil {
		return m[1], m[2]
	}
	if code := query.Get("error"); errorCode.MatchString(code) {
		return code, ""
	}
	return oauth.ServerError, ""
}
