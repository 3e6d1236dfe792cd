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
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// A Grant is one scope that a user let a client have, or one claim that the
// client asked for by itself.
type Grant struct {
	Scope      string `json:"scope_name,omitempty"`
	Claim      string `json:"claim_name,omitempty"`
	ClaimType  string `json:"claim_type,omitempty"`
	Connection string `json:"idp_id"`
	// Language of the page that asked (BCP 47).
	Language string    `json:"language,omitempty"`
	GivenAt  time.Time `json:"given_at,omitzero"`
	// ExpiresAt is zero where grants do not expire.
	ExpiresAt time.Time `json:"expires_at,omitzero"`

	// WithdrawnAt is when the user last took it back. A grant that was not
	// given again since has no GivenAt.
	WithdrawnAt time.Time `json:"withdrawn_at,omitzero"`
}

// A Ledger keeps the grants of every (subject, client).
type Ledger struct {
	Store store.Store
	Now   func() time.Time

	// Lifetime of a grant; 0 keeps it until it is withdrawn.
	Lifetime time.Duration

	// Scopes are the declared ones, by name.
	Scopes map[string]claims.Scope

	// Claims are the declared ones.
	Claims []claims.Claim
}

// Items are what a client asks for, or a user lets it have.
type Items struct {
	Scopes []string
	Claims authn.RequestedClaims
}

// A Question is what a sign-in has to ask, if anything.
type Question struct {
	// Due says whether the page must be shown.
	Due bool
	// Granted is what was given earlier, in the order of the request.
	Granted Items
}

// Ask decides whether the consent page is due: it is, unless the client is
// trusted or all that is asked for is granted already. Claims asked for one
// by one count like scopes.
//
// The mode comes from the client's configuration, never from a request; all
// that a request can do is ask for more questions, by prompt=consent.
func (l *Ledger) Ask(ctx context.Context, subject string, c *oauth.Client, asked Items, promptConsent bool) (Question, error) {
	grants, err := l.Grants(ctx, subject, c.ID)
	if err != nil {
		return Question{}, err
	}
	if c.Consent == oauth.ConsentTrusted {
		// What it was granted before it was trusted is not shown as shared.
		return Question{Due: promptConsent}, nil
	}
	due := promptConsent || c.Consent == oauth.ConsentAlways
	var q Question
	for _, name := range asked.Scopes {
		scope := l.Scopes[name]
		if _, granted := grants[name]; granted && !scope.Transient {
			q.Granted.Scopes = append(q.Granted.Scopes, name)
		} else {
			due = due || !scope.ImplicitGrant
		}
	}
	known := func(t claims.TokenType, names []string) (granted []string) {
		for _, name := range names {
			if _, ok := grants[claimKey(t, name)]; ok && !l.transient(c, t, name) {
				granted = append(granted, name)
			} else {
				due = true
			}
		}
		return granted
	}
	q.Granted.Claims.IDToken = known(claims.IDToken, asked.Claims.IDToken)
	q.Granted.Claims.Userinfo = known(claims.Userinfo, asked.Claims.Userinfo)
	q.Due = due
	return q, nil
}

// transient says whether every scope of c that carries the claim is so: to ask
// for the claim by itself must be no way around being asked for its scope.
func (l *Ledger) transient(c *oauth.Client, t claims.TokenType, name string) bool {
	carried := false
	for _, claim := range l.Claims {
		if claim.Name != name || !claim.In(t) {
			continue
		}
		for _, scope := range claim.Scopes {
			if !slices.Contains(c.Scopes, scope) {
				continue
			}
			if !l.Scopes[scope].Transient {
				return false
			}
			carried = true
		}
	}
	return carried
}

// claimKey is where the grant of a claim stands among those of scopes. No
// scope has a space in it (RFC 6749, 3.3).
func claimKey(t claims.TokenType, name string) string { return "claim " + string(t) + " " + name }

// Grants returns the live grants of subject to a client, under keys of the
// ledger's own: for a scope, its name.
func (l *Ledger) Grants(ctx context.Context, subject, clientID string) (map[string]Grant, error) {
	grants, _, err := l.load(ctx, recordKey(subject, clientID))
	if err != nil {
		return nil, fmt.Errorf("reading consent: %w", err)
	}
	maps.DeleteFunc(grants, func(_ string, g Grant) bool { return !l.live(g) })
	return grants, nil
}

// live says whether the grant counts now.
func (l *Ledger) live(g Grant) bool {
	return !g.GivenAt.IsZero() && (g.ExpiresAt.IsZero() || l.Now().Before(g.ExpiresAt))
}

// An Answer is what a user let a client have.
type Answer struct {
	Items

	// Connection that the user signed in through, and Language of the page
	// that asked.
	Connection, Language string
}

// Record adds an answer to what subject has granted c. A trusted client's
// grants are not stored, so that its users are asked once it loses the
// trust; neither are transient scopes, and claims that come with no other.
func (l *Ledger) Record(ctx context.Context, subject string, c *oauth.Client, answer Answer) error {
	if c.Consent == oauth.ConsentTrusted {
		return nil
	}
	given := map[string]Grant{}
	for _, name := range answer.Scopes {
		if !l.Scopes[name].Transient {
			given[name] = Grant{Scope: name}
		}
	}
	for t, names := range map[claims.TokenType][]string{claims.IDToken: answer.Claims.IDToken, claims.Userinfo: answer.Claims.Userinfo} {
		for _, name := range names {
			if !l.transient(c, t, name) {
				given[claimKey(t, name)] = Grant{Claim: name, ClaimType: string(t)}
			}
		}
	}
	now := l.Now().UTC()
	return l.update(ctx, recordKey(subject, c.ID), func(grants map[string]Grant) {
		for key, g := range given {
			old := grants[key]
			g.Connection, g.Language, g.GivenAt, g.WithdrawnAt = answer.Connection, answer.Language, now, old.WithdrawnAt
			if l.live(old) && l.Lifetime == 0 {
				g = old
			}
			if l.Lifetime > 0 {
				g.ExpiresAt = now.Add(l.Lifetime)
			}
			grants[key] = g
		}
	})
}

// recordKey separates subject and client by a character that neither can
// hold once the subject, which may be the upstream's own text, is escaped:
// client ids have no spaces.
func recordKey(subject, clientID string) string {
	return recordPrefix + url.QueryEscape(subject) + " " + clientID
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
