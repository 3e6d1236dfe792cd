package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

// Begin implements [provider.Provider]: an authorization request with this
// client's own id, state, nonce and PKCE S256, none of which has a switch.
// Errors are *provider.Error if the provider cannot be reached.
func (p *Provider) Begin(ctx context.Context, req provider.Request) (string, []byte, error) {
	if err := checkRequest(req); err != nil {
		return "", nil, err
	}
	md, err := p.metadata.get(ctx)
	if err != nil {
		return "", nil, upstreamFailure(err)
	}
	seed, err := newSeed(p.rand)
	if err != nil {
		return "", nil, fmt.Errorf("drawing nonce and verifier: %w", err)
	}
	options := append(p.authorizeOptions(req),
		oauth2.S256ChallengeOption(seed.verifier()),
		oauth2.SetAuthURLParam("nonce", seed.nonce()),
	)
	return p.oauth2Config(md, req.RedirectURI).AuthCodeURL(req.State, options...), seed[:], nil
}

// checkRequest catches a caller's mistakes that would weaken the flow.
func checkRequest(req provider.Request) error {
	if req.State == "" || req.RedirectURI == "" {
		return errors.New("oidc: request without state or redirect URI")
	}
	for _, prompt := range req.Prompt {
		if prompt != "none" && prompt != "login" {
			return fmt.Errorf("oidc: prompt %q does not go upstream", prompt)
		}
	}
	return nil
}

// authorizeOptions returns the parameters that depend on the connection and
// on what of the client's request may pass. The connection's own are set
// first: no later one is theirs to change.
func (p *Provider) authorizeOptions(req provider.Request) []oauth2.AuthCodeOption {
	var options []oauth2.AuthCodeOption
	set := func(name, value string) {
		if value != "" {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
	}
	for name := range p.cfg.AuthorizeParams {
		set(name, p.cfg.AuthorizeParams.Get(name))
	}
	set("audience", p.cfg.Audience)
	set("organization", p.cfg.Organization)
	set("prompt", strings.Join(req.Prompt, " "))
	set("acr_values", req.ACRValues)
	set("ui_locales", req.UILocales)
	if p.cfg.SendLoginHint {
		set("login_hint", req.LoginHint)
	}
	if age, ok := p.maxAge(req); ok {
		set("max_age", strconv.FormatInt(int64(age/time.Second), 10))
	}
	return options
}

// maxAge returns the max_age to send: the client's, else the connection's
// default, which only asks for auth_time.
//
// To a provider that answers max_age (DefaultMaxAge is set), prompt=login
// is sent as max_age=0 too. Whoever sits at a signed-in browser can strike
// prompt=login from the address bar and be signed in as before; with
// max_age the missing authentication shows in auth_time.
func (p *Provider) maxAge(req provider.Request) (age time.Duration, ok bool) {
	switch {
	case p.cfg.DefaultMaxAge > 0 && slices.Contains(req.Prompt, "login"):
		return 0, true
	case req.MaxAge != nil:
		return max(*req.MaxAge, 0), true
	}
	return p.cfg.DefaultMaxAge, p.cfg.DefaultMaxAge > 0
}

// authAfter returns the earliest auth_time that satisfies req; zero if any
// does, because no max_age but the default was sent.
func (p *Provider) authAfter(req provider.Request) time.Time {
	age, sent := p.maxAge(req)
	forced := p.cfg.DefaultMaxAge > 0 && slices.Contains(req.Prompt, "login")
	if !sent || req.MaxAge == nil && !forced {
		return time.Time{}
	}
	started := req.Started
	if started.IsZero() {
		started = p.now()
	}
	return started.Add(-age)
}
