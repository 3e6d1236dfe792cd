package consent

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// everything is the key of a withdrawal from a client as a whole. It covers
// what no grant is stored for, too: transient scopes, and all of a trusted
// client's. No scope has a space in it.
const everything = "all scopes"

// Withdraw takes back the scopes that subject let a client have, or all there
// is where none is named. What was issued before holds no more: see
// [Ledger.Holds].
func (l *Ledger) Withdraw(ctx context.Context, subject, clientID string, scopes ...string) error {
	now := l.Now().UTC()
	return l.update(ctx, recordKey(subject, clientID), func(grants map[string]Grant) {
		if len(scopes) > 0 {
			for _, name := range scopes {
				grants[name] = Grant{Scope: name, WithdrawnAt: now}
			}
			return
		}
		for key, g := range grants {
			grants[key] = Grant{Scope: g.Scope, Claim: g.Claim, ClaimType: g.ClaimType, WithdrawnAt: now}
		}
		grants[everything] = Grant{WithdrawnAt: now}
	})
}

// Holds says whether what subject let a client have at the given time has not
// been taken back since, in whole or in part. Whatever acts on an earlier
// consent asks it: a code, an access token, a gate session.
func (l *Ledger) Holds(ctx context.Context, subject, clientID string, items Items, given time.Time) (bool, error) {
	grants, _, err := l.load(ctx, recordKey(subject, clientID))
	if err != nil {
		return false, fmt.Errorf("reading consent: %w", err)
	}
	keys := append(slices.Clone(items.Scopes), everything)
	for _, name := range items.Claims.IDToken {
		keys = append(keys, claimKey(claims.IDToken, name))
	}
	for _, name := range items.Claims.Userinfo {
		keys = append(keys, claimKey(claims.Userinfo, name))
	}
	for _, key := range keys {
		if at := grants[key].WithdrawnAt; !at.IsZero() && !given.After(at) {
			return false, nil
		}
	}
	return true, nil
}

// Clients returns the ids of the clients that subject has let have something
// and not taken all of it back.
func (l *Ledger) Clients(ctx context.Context, subject string) ([]string, error) {
	var ids []string
	for who, err := range l.Holders(ctx, Filter{Subject: subject}) {
		if err != nil {
			return nil, err
		}
		grants, err := l.Grants(ctx, subject, who.Client)
		if err != nil {
			return nil, fmt.Errorf("listing consents of client %q: %w", who.Client, err)
		}
		if len(grants) > 0 {
			ids = append(ids, who.Client)
		}
	}
	return ids, nil
}
