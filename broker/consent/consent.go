// Package consent decides when a user is asked what a client may see, and
// remembers the answer.
//
// All a user has granted one client is one record, so that granting and
// withdrawing are single atomic steps and a withdrawal can forget nothing.
package consent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// A Grant is one scope that a user let a client have.
type Grant struct {
	Scope      string    `json:"scope_name"`
	Connection string    `json:"idp_id"`
	GivenAt    time.Time `json:"given_at"`
	// ExpiresAt is zero where grants do not expire.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// A Ledger keeps the grants of every (subject, client).
type Ledger struct {
	Store store.Store
	Now   func() time.Time

	// Lifetime of a grant; 0 keeps it until it is withdrawn.
	Lifetime time.Duration

	// Scopes are the declared ones, by name.
	Scopes map[string]claims.Scope
}

// A Question is what a sign-in has to ask, if anything.
type Question struct {
	// Due says whether the page must be shown.
	Due bool
	// Missing are the scopes to tick, Granted those given earlier. Both
	// keep the order of the request.
	Missing, Granted []string
}

// Ask decides whether the consent page is due for scopes: it is, unless the
// client is trusted or every scope is granted already.
//
// The mode comes from the client's configuration, never from a request; all
// that a request can do is ask for more questions, by prompt=consent.
func (l *Ledger) Ask(ctx context.Context, subject string, c *oauth.Client, scopes []string, promptConsent bool) (Question, error) {
	grants, err := l.Grants(ctx, subject, c.ID)
	if err != nil {
		return Question{}, err
	}
	var q Question
	due := false
	for _, name := range scopes {
		scope := l.Scopes[name]
		_, granted := grants[name]
		if granted && !scope.Transient && c.Consent != oauth.ConsentTrusted {
			q.Granted = append(q.Granted, name)
			continue
		}
		q.Missing = append(q.Missing, name)
		due = due || !scope.ImplicitGrant
	}
	switch {
	case promptConsent, c.Consent == oauth.ConsentAlways:
		q.Due = true
	case c.Consent != oauth.ConsentTrusted: // remember, also where no mode is set
		q.Due = due
	}
	return q, nil
}

// Grants returns the live grants of subject to a client, by scope.
func (l *Ledger) Grants(ctx context.Context, subject, clientID string) (map[string]Grant, error) {
	grants, _, err := l.load(ctx, recordKey(subject, clientID))
	if err != nil {
		return nil, fmt.Errorf("reading consent: %w", err)
	}
	return grants, nil
}

// Record adds scopes to what subject has granted c. A trusted client's
// grants are not stored, so that its users are asked once it loses the
// trust; neither are transient scopes.
func (l *Ledger) Record(ctx context.Context, subject string, c *oauth.Client, connection string, scopes []string) error {
	if c.Consent == oauth.ConsentTrusted {
		return nil
	}
	now := l.Now().UTC()
	return l.update(ctx, recordKey(subject, c.ID), func(grants map[string]Grant) {
		for _, name := range scopes {
			if l.Scopes[name].Transient {
				continue
			}
			g := Grant{Scope: name, Connection: connection, GivenAt: now}
			if old, ok := grants[name]; ok && l.Lifetime == 0 {
				g = old
			}
			if l.Lifetime > 0 {
				g.ExpiresAt = now.Add(l.Lifetime)
			}
			grants[name] = g
		}
	})
}

// Withdraw forgets scopes that subject granted to a client, or all of them
// where none is named.
func (l *Ledger) Withdraw(ctx context.Context, subject, clientID string, scopes ...string) error {
	return l.update(ctx, recordKey(subject, clientID), func(grants map[string]Grant) {
		for name := range grants {
			if len(scopes) == 0 || slices.Contains(scopes, name) {
				delete(grants, name)
			}
		}
	})
}

// recordKey separates subject and client by a character neither can hold:
// subjects are hex, client ids have no spaces.
func recordKey(subject, clientID string) string {
	return "consent/" + subject + " " + clientID
}

func (l *Ledger) load(ctx context.Context, key string) (map[string]Grant, []byte, error) {
	raw, err := l.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return map[string]Grant{}, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	grants := map[string]Grant{}
	if err := json.Unmarshal(raw, &grants); err != nil {
		return nil, nil, errors.New("the consent record is not readable")
	}
	now := l.Now()
	for name, g := range grants {
		if !g.ExpiresAt.IsZero() && !now.Before(g.ExpiresAt) {
			delete(grants, name)
		}
	}
	return grants, raw, nil
}

// maxRaces bounds how often update starts again when others write the same
// record; each loss means that somebody else made progress.
const maxRaces = 16

func (l *Ledger) update(ctx context.Context, key string, change func(map[string]Grant)) error {
	for range maxRaces {
		grants, old, err := l.load(ctx, key)
		if err != nil {
			return fmt.Errorf("updating consent: %w", err)
		}
		change(grants)
		raw, err := json.Marshal(grants)
		if err != nil {
			return fmt.Errorf("updating consent: %w", err)
		}
		err = l.Store.Swap(ctx, key, old, raw, 0)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("updating consent: %w", err)
		}
		return nil
	}
	return errors.New("updating consent: too many concurrent changes")
}
