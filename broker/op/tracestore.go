package op

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Bounds of what is kept of ended sign-ins.
const (
	traceSlots    = 200
	traceLifetime = 24 * time.Hour

	// maxTrace is the size of a record from which on it goes without the
	// claims that nobody declared: the upstream chooses how many these are.
	maxTrace = 64 << 10

	// traceTimeout bounds how long a browser waits for the record.
	traceTimeout = time.Second
)

const tracePrefix = "trace/"

// ErrNoTrace is returned for a sign-in of which nothing is kept: it is
// unknown, too old, not over yet, or ended before the upstream vouched for
// anybody.
var ErrNoTrace = errors.New("no sign-in with this id is kept")

// A traceCounter numbers the records. The number, modulo the slots, is where
// a record goes, so that the store holds 200 whoever signs in how often.
//
// Several nodes share the slots and count for themselves: one may take the
// slot that another has just filled. There are never more records then, only
// some of the latest can be missing.
type traceCounter struct{ next atomic.Uint64 }

// A storedTrace is a record with its number, which tells the order of what
// ended at the same time.
type storedTrace struct {
	Number uint64 `json:"number"`
	*TraceRecord
}

// keepTrace keeps the lineage of a login that has just ended. To fail at that
// must not fail the login: it is logged and that is all.
//
// Nothing is kept of a login before the upstream has vouched for somebody.
// The attacker has no account and wants an operator not to see a sign-in:
// requests that end in an error cost nothing, and 200 of them would push it
// out.
func (s *Server) keepTrace(ctx context.Context, l *login, outcome, reason string) {
	if len(l.Lineage) == 0 {
		return
	}
	// The browser may have gone away; that does not make the login unheard of.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceTimeout)
	defer cancel()
	if outcome == OutcomeCode {
		s.keepTokenValues(ctx, l)
	}
	if err := s.putTrace(ctx, s.traceRecord(l, outcome, reason)); err != nil {
		s.Log.Warn("lineage not kept", zap.String("trace", l.Trace), zap.String("client", l.Request.ClientID), zap.Error(err))
	}
}

func (s *Server) putTrace(ctx context.Context, r *TraceRecord) error {
	number := s.traces.next.Add(1) - 1
	raw, err := json.Marshal(storedTrace{number, r})
	if err == nil && len(raw) > maxTrace {
		r.Entries = slices.DeleteFunc(slices.Clone(r.Entries), func(e authn.Entry) bool { return e.Stage == authn.StageUpstream })
		raw, err = json.Marshal(storedTrace{number, r})
	}
	if err != nil {
		return err
	}
	return s.Store.Put(ctx, fmt.Sprintf("%s%03d", tracePrefix, number%traceSlots), raw, traceLifetime)
}

// ResumeTraces goes on numbering where the process before this one stopped.
// Without it the oldest records are not those that are replaced.
func (s *Server) ResumeTraces(ctx context.Context) error {
	kept, err := s.storedTraces(ctx)
	if err != nil {
		return err
	}
	for _, t := range kept {
		s.traces.next.Store(max(s.traces.next.Load(), t.Number+1))
	}
	return nil
}

// Traces returns the sign-ins of which the lineage is kept, the newest first.
func (s *Server) Traces(ctx context.Context) ([]TraceSummary, error) {
	kept, err := s.storedTraces(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]TraceSummary, 0, len(kept))
	seen := make(map[string]bool)
	for _, t := range kept {
		if !seen[t.LoginID] { // an end that is reached again, by the back button say
			out = append(out, t.TraceSummary)
		}
		seen[t.LoginID] = true
	}
	return out, nil
}

// TraceOf returns the lineage of one sign-in, by its login_id or by its
// correlation id; [ErrNoTrace] if none is kept.
func (s *Server) TraceOf(ctx context.Context, id string) (*TraceRecord, error) {
	kept, err := s.storedTraces(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(kept, func(t storedTrace) bool { return t.LoginID == id || t.Trace == id })
	if i < 0 {
		return nil, ErrNoTrace
	}
	return kept[i].TraceRecord, nil
}

// storedTraces returns all records, the newest first. One that cannot be read,
// of another version or another key, is left out.
func (s *Server) storedTraces(ctx context.Context) (kept []storedTrace, err error) {
	keys, err := s.Store.List(ctx, tracePrefix, "", traceSlots)
	if err != nil {
		return nil, fmt.Errorf("reading lineage: %w", err)
	}
	for _, key := range keys {
		raw, err := s.Store.Get(ctx, key)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrSealed) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading lineage: %w", err)
		}
		var t storedTrace
		if json.Unmarshal(raw, &t) == nil && t.TraceRecord != nil {
			kept = append(kept, t)
		}
	}
	slices.SortFunc(kept, func(a, b storedTrace) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.Number, a.Number))
	})
	return kept, nil
}
