package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// A Visitor is somebody signed in at a site, with everything a request
// needs prepared. It is immutable and shared by requests.
type Visitor struct {
	Subject string
	SID     string

	authorization *authn.Authorization

	claims      map[string]any
	trustEmail  bool // the operator takes the connection's addresses for verified
	accessToken string
	idToken     string
	headers     []preparedHeader

	print   [sha256.Size]byte
	renew   time.Time // when to mint anew, outside of requests
	expires time.Time // when these tokens must not be sent any more
}

type preparedHeader struct {
	name, value string
}

// Claim returns a claim of the visitor by name.
func (v *Visitor) Claim(name string) (any, bool) {
	c, ok := v.claims[name]
	return c, ok
}

// Claims returns all of them, for reading only.
func (v *Visitor) Claims() map[string]any { return v.claims }

// Authorization returns what the visitor let the site have, for reading only.
// The origins in its context are there if the gate was told to have them.
func (v *Visitor) Authorization() *authn.Authorization { return v.authorization }

// value returns what a placeholder stands for; nil if it has no value.
func (v *Visitor) value(name string) any {
	switch name {
	case "sub":
		return v.Subject
	case "sid":
		return v.SID
	case "access_token":
		return v.accessToken
	case "id_token":
		return v.idToken
	case "verified_email":
		// An address nobody has verified is a name that the user chose for
		// himself: an application that trusts it can be taken over.
		if verified, _ := v.claims["email_verified"].(bool); verified || v.trustEmail {
			return v.claims["email"]
		}
		return nil
	}
	return v.claims[name[len("claim."):]]
}

// Margins of the tokens that are sent to the application.
const (
	renewAt = 0.8              // of their life, in the background
	leave   = 20 * time.Second // before their end, at the latest
)

// visitor returns who the handle belongs to, or session.ErrNoSession.
func (g *Gate) visitor(ctx context.Context, s *site, handle string) (*Visitor, error) {
	_, v, err := g.lookUp(ctx, s, handle)
	return v, err
}

// lookUp is visitor with the session itself.
func (g *Gate) lookUp(ctx context.Context, s *site, handle string) (*live, *Visitor, error) {
	if handle == "" {
		return nil, nil, session.ErrNoSession
	}
	key, now := keyOf(handle), g.deps.Now()
	l := g.deps.Cache.get(&key)
	if l == nil {
		drops := g.deps.Cache.drops.Load()
		loaded, err := g.deps.Sessions.GateSession(ctx, handle)
		if err != nil {
			return nil, nil, err
		}
		loaded.Authorization.Context.Origins = nil // see withOrigins
		l = newLive(loaded)
		l.drops = drops
		l = g.deps.Cache.add(&key, l)
	}
	if l.over(now, g.deps.Sessions.Limits) {
		g.deps.Cache.remove(&key)
		return nil, nil, session.ErrNoSession
	}
	// A handle of another site is none here, even when one gate guards
	// both: each site has its own audience and consent.
	if l.session.Authorization.ClientID != s.Client.ID {
		return nil, nil, session.ErrNoSession
	}
	g.touch(l, handle, now)
	v := l.ready.Load()
	switch {
	case v == nil || v.print != g.print || !now.Before(v.expires):
		v, err := g.prepare(ctx, l, s)
		return l, v, err
	case now.After(v.renew) && l.minting.CompareAndSwap(false, true):
		go g.renew(l, s) //nolint:gosec // G118: it is for the requests to come and must outlive this one
	}
	return l, v, nil
}

// touch notes the use. The store learns of it once in an eighth of the idle
// time, and not while the request waits.
func (g *Gate) touch(l *live, handle string, now time.Time) {
	n := now.UnixNano()
	l.used.Store(n)
	saved := l.saved.Load()
	if n-saved < int64(g.deps.Sessions.Limits.Idle)/8 || !l.saved.CompareAndSwap(saved, n) {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := g.deps.Sessions.TouchGate(ctx, handle, now); err != nil && !errors.Is(err, session.ErrNoSession) {
			g.deps.Log.Warn("noting the use of a gate session failed", zap.Error(err))
		}
	}()
}

// renew mints in the background; when it fails, the next request tries
// again, and at the tokens' end waits for the result.
func (g *Gate) renew(l *live, s *site) {
	defer l.minting.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := g.prepare(ctx, l, s); err != nil {
		g.deps.Log.Warn("renewing the tokens of a gate session failed", zap.Error(err))
	}
}

// prepare mints tokens for the session and makes the header values.
func (g *Gate) prepare(ctx context.Context, l *live, s *site) (*Visitor, error) {
	a := l.session.Authorization
	t, err := g.deps.Broker.Mint(ctx, s.Client, a)
	if err != nil {
		return nil, fmt.Errorf("minting tokens for %s: %w", s.Client.ID, err)
	}
	v := &Visitor{
		Subject:       a.Subject,
		SID:           a.SID,
		authorization: a,
		claims:        g.deps.Broker.UserClaims(a),
		trustEmail:    a.Context.TrustEmail,
		accessToken:   t.AccessToken,
		idToken:       t.IDToken,
		print:         g.print,
		renew:         t.Expires.Add(-time.Duration((1 - renewAt) * float64(t.ExpiresIn))),
		expires:       t.Expires.Add(-leave),
	}
	for i := range g.headers {
		h := &g.headers[i]
		value, err := h.render(v)
		if err != nil {
			g.deps.Log.Warn("header not sent", zap.String("client", s.Client.ID), zap.String("header", h.Name), zap.Error(err))
		}
		if value != "" {
			v.headers = append(v.headers, preparedHeader{name: h.Name, value: value})
		}
	}
	l.ready.Store(v)
	return v, nil
}
