package broker

import (
	"context"
	"time"

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

// SignIn is Trace with the values, as long as a window is open.
func (b *Broker) SignIn(ctx context.Context, id string) (*op.SignIn, error) {
	return b.server.SignIn(ctx, id)
}

// OpenValues keeps the values of the sign-ins through this process from now
// on, in its memory, for the given time or until ctx ends. The error is
// [op.ErrValuesWindow] if that is more than [op.MaxValuesWindow].
func (b *Broker) OpenValues(ctx context.Context, life time.Duration) (op.ValuesWindow, error) {
	return b.server.OpenValues(ctx, life)
}

// CloseValues forgets all values at once.
func (b *Broker) CloseValues() { b.server.CloseValues() }

// ValuesWindow says whether values are kept.
func (b *Broker) ValuesWindow() op.ValuesWindow { return b.server.ValuesState() }
