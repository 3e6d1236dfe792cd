package broker

import (
	"context"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

// Traces returns the last sign-ins of which the lineage is kept, the newest
// first: at most 200, for 24 hours.
func (b *Broker) Traces(ctx context.Context) ([]op.TraceSummary, error) {
	return b.server.Traces(ctx)
}

// Trace returns the lineage of one sign-in, by its login_id or by the
// correlation id that log and error page have. It holds no values. The error
// is [op.ErrNoTrace] if none is kept.
func (b *Broker) Trace(ctx context.Context, id string) (*op.TraceRecord, error) {
	return b.server.TraceOf(ctx, id)
}
