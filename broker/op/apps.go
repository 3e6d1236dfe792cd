package op

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
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

// hasUsed says whether the user has been at the client.
func (s *Server) hasUsed(ctx context.Context, subject, clientID string) (bool, error) {
	_, err := s.Store.Get(ctx, usePrefix(subject)+clientID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// AppsOf returns the clients that subject has let have something, and the
// trusted ones where it has been, the last used first. The clients named in
// except are left out. Their WithdrawURL is
// the portal's to set.
func (s *Server) AppsOf(ctx context.Context, subject string, except ...string) ([]ui.PortalApp, error) {
	used, err := s.uses(ctx, subject)
	if err != nil {
		return nil, err
	}
	ids, err := s.Ledger.Clients(ctx, subject)
	if err != nil {
		return nil, err
	}
	for id := range used {
		if s.trusts(id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var out []ui.PortalApp
	for _, id := range ids {
		if slices.Contains(except, id) {
			continue
		}
		grants, err := s.Ledger.Grants(ctx, subject, id)
		if err != nil {
			return nil, err
		}
		app := s.app(id, slices.Collect(maps.Values(grants)))
		app.Used = used[id]
		out = append(out, app)
	}
	slices.SortFunc(out, func(a, b ui.PortalApp) int {
		return cmp.Or(b.Used.Compare(a.Used), strings.Compare(a.Client.Name+a.ID, b.Client.Name+b.ID))
	})
	return out, nil
}

// app is a client as one of its users sees it. Of one that has gone from the
// configuration the id is all there is.
func (s *Server) app(id string, grants []consent.Grant) ui.PortalApp {
	app := ui.PortalApp{ID: id, Client: ui.Client{Name: id}, Gone: true, Trusted: s.trusts(id)}
	if c := s.Client(id); c != nil {
		app.Gone, app.Client = false, s.clientView(c, strings.Join(c.RedirectURIs[:min(len(c.RedirectURIs), 1)], ""))
	}
	slices.SortFunc(grants, s.byKind)
	for _, g := range grants {
		app.Grants = append(app.Grants, s.portalGrant(g))
	}
	return app
}

// byKind orders grants: scopes as the broker has them (openid, profile,
// email), then those that only a client names, then single claims.
func (s *Server) byKind(a, b consent.Grant) int {
	return cmp.Or(
		strings.Compare(a.Claim, b.Claim), // a scope has none
		cmp.Compare(s.scopeIndex(a.Scope), s.scopeIndex(b.Scope)),
		strings.Compare(a.Scope, b.Scope), strings.Compare(a.ClaimType, b.ClaimType),
	)
}

func (s *Server) portalGrant(g consent.Grant) ui.PortalGrant {
	out := ui.PortalGrant{Scope: g.Scope, Name: cmp.Or(g.Scope, g.Claim), Given: g.GivenAt, Expires: g.ExpiresAt}
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
