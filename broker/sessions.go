package broker

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// ErrNoSession is returned for a session that is not one of the user's, or
// has ended.
var ErrNoSession error = noSessionError{}

// noSessionError is session.ErrNoSession in words for administrators.
type noSessionError struct{}

func (noSessionError) Error() string { return "the user has no such session; it may have ended" }
func (noSessionError) Unwrap() error { return session.ErrNoSession }

// Sessions returns the browsers in which subject is signed in, the last used
// first.
func (b *Broker) Sessions(ctx context.Context, subject string) ([]session.UserSession, error) {
	return b.sessions.OfUser(ctx, subject)
}

// EndSession ends one of the user's sessions, with the gate sessions and the
// unspent codes below it. The error is [ErrNoSession] for another one.
func (b *Broker) EndSession(ctx context.Context, subject, sid string) error {
	err := b.sessions.EndOfUser(ctx, subject, sid)
	if errors.Is(err, session.ErrNoSession) {
		return ErrNoSession
	}
	if err == nil {
		b.deps.Log.Info("session_ended", zap.String("subject", subject), zap.String("sid", sid))
	}
	return err
}

// EndUser ends all sessions of the user, and with them every code and token
// issued until now, at every client. Consents stay. It returns how many
// sessions there were.
func (b *Broker) EndUser(ctx context.Context, subject string) (sessions int, err error) {
	all, err := b.sessions.OfUser(ctx, subject)
	if err != nil {
		return 0, err
	}
	return len(all), b.server.RevokeUser(ctx, subject)
}
