package broker

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

// Consents returns what users have let clients have, one record for each
// scope and claim. It reads as it is read, and holds little in memory.
func (b *Broker) Consents(ctx context.Context, f consent.Filter) iter.Seq2[consent.Record, error] {
	return b.server.Ledger.Export(ctx, f)
}

// WithdrawConsents takes back what w names, with the effect that the users'
// own withdrawal has. The error is [lineage.ErrUnknown] for a client, or a
// scope of one, that is not configured; a client that has gone from the
// configuration counts as long as somebody's consent to it is kept.
func (b *Broker) WithdrawConsents(ctx context.Context, w op.Withdrawals) (op.Withdrawn, error) {
	client := b.client(w.Client)
	if client != nil {
		for _, name := range w.Scopes {
			if !slices.Contains(client.Scopes, name) && !b.declares(name) {
				return op.Withdrawn{}, fmt.Errorf("scope %q of client %q is %w; its scopes are: %s",
					name, w.Client, lineage.ErrUnknown, strings.Join(client.Scopes, " "))
			}
		}
	}
	done, err := b.server.WithdrawAll(ctx, w)
	if err == nil && done.Clients == 0 && w.Client != "" && client == nil {
		return done, fmt.Errorf("client %q is %w, and no consent to it is kept%s", w.Client, lineage.ErrUnknown, claims.DidYouMean(w.Client, b.clientIDs()))
	}
	return done, err
}

// declares says whether the scope is one of the broker's.
func (b *Broker) declares(scope string) bool {
	return slices.ContainsFunc(b.model.scopes, func(s claims.Scope) bool { return s.Name == scope })
}

func (b *Broker) clientIDs() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Sorted(maps.Keys(b.clients))
}
