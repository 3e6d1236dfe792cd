package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// useLifetime is how long it is remembered that a user was at a client.
const useLifetime = 400 * 24 * time.Hour

func usePrefix(subject string) string { return "use/" + url.QueryEscape(subject) + " " }

// noteUse notes that the user of the login is at the client now. To fail at
// that must not fail the sign-in.
func (s *Server) noteUse(ctx context.Context, subject, clientID string) {
	at, err := json.Marshal(s.Now().UTC())
	if err == nil {
		err = s.Store.Put(ctx, usePrefix(subject)+clientID, at, useLifetime)
	}
	if err != nil {
		s.Log.Warn("noting the use of a client failed", zap.String("client", clientID), zap.Error(err))
	}
}

// An App is a client as one of its users sees it.
type App struct {
	// Client is what pages show; Known is false for a client that has gone
	// from the configuration, of which the id is all there is.
	ID     string
	Client ui.Client
	Known  bool

	// Trusted ones are allowed by the administrator: they are not asked
	// about, and there is nothing to withdraw.
	Trusted bool

	// Grants are what the user let the client have: scopes, then single
	// claims.
	Grants []AppGrant

	// Used is when the user last signed in there; zero if unknown.
	Used time.Time
}

// An AppGrant is one scope or claim that a user let a client have.
type AppGrant struct {
	consent.Grant

	// DisplayName and Description are what people read; either may be empty.
	DisplayName, Description string
}

// AppsOf returns the clients that subject has let have something, and the
// trusted ones where it has been, the last used first. The clients named in
// except are left out.
func (s *Server) AppsOf(ctx context.Context, subject string, except ...string) ([]App, error) {
	used, err := s.uses(ctx, subject)
	if err != nil {
		return nil, err
	}
	ids, err := s.Ledger.Clients(ctx, subject)
	if err != nil {
		return nil, err
	}
	for id := range used {
		if c := s.Client(id); c != nil && c.Consent == oauth.ConsentTrusted && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var out []App
	for _, id := range ids {
		if slices.Contains(except, id) {
			continue
		}
		app, err := s.app(ctx, subject, id)
		if err != nil {
			return nil, err
		}
		app.Used = used[id]
		out = append(out, app)
	}
	slices.SortFunc(out, func(a, b App) int {
		if c := b.Used.Compare(a.Used); c != 0 {
			return c
		}
		return strings.Compare(a.Client.Name+a.ID, b.Client.Name+b.ID)
	})
	return out, nil
}

func (s *Server) app(ctx context.Context, subject, id string) (App, error) {
	grants, err := s.Ledger.Grants(ctx, subject, id)
	if err != nil {
		return App{}, err
	}
	app := App{ID: id, Client: ui.Client{Name: id}}
	if c := s.Client(id); c != nil {
		app.Known, app.Trusted = true, c.Consent == oauth.ConsentTrusted
		app.Client = s.clientView(c, strings.Join(c.RedirectURIs[:min(len(c.RedirectURIs), 1)], ""))
	}
	for _, g := range grants {
		app.Grants = append(app.Grants, s.appGrant(g))
	}
	slices.SortFunc(app.Grants, func(a, b AppGrant) int {
		return strings.Compare(a.Claim+" "+a.Scope+a.ClaimType, b.Claim+" "+b.Scope+b.ClaimType)
	})
	return app, nil
}

func (s *Server) appGrant(g consent.Grant) AppGrant {
	out := AppGrant{Grant: g}
	if g.Claim != "" {
		out.DisplayName, out.Description = s.describeClaim(g.Claim)
		return out
	}
	scope := s.scope(g.Scope)
	out.DisplayName, out.Description = scope.DisplayName, scope.Description
	return out
}

// uses returns when subject was last at each client.
func (s *Server) uses(ctx context.Context, subject string) (map[string]time.Time, error) {
	const most = 1000
	prefix := usePrefix(subject)
	keys, err := s.Store.List(ctx, prefix, "", most)
	if err != nil {
		return nil, fmt.Errorf("listing clients: %w", err)
	}
	out := make(map[string]time.Time, len(keys))
	for _, key := range keys {
		raw, err := s.Store.Get(ctx, key)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("listing clients: %w", err)
		}
		var at time.Time
		if json.Unmarshal(raw, &at) == nil {
			out[strings.TrimPrefix(key, prefix)] = at
		}
	}
	return out, nil
}
