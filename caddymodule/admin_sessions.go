package caddymodule

import (
	"net/url"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// errWhoseSessions asks for the user: there is no list of everybody's.
var errWhoseSessions = mistaken("whose sessions? Name the user by subject")

// answerSessions lists the sessions of a user.
func answerSessions(a *App, query url.Values) (any, error) {
	subject := query.Get("subject")
	if subject == "" {
		return nil, errWhoseSessions
	}
	list, err := a.broker.Sessions(a.ctx, subject)
	if list == nil {
		list = []session.UserSession{}
	}
	return list, err
}

// endedSessions says how many sessions were ended.
type endedSessions struct {
	Sessions int `json:"sessions"`

	// Tokens says that all tokens of the user ended with them.
	Tokens bool `json:"tokens"`
}

// endSessions ends one session of a user, or all of them and every token.
func endSessions(a *App, query url.Values) (any, []zap.Field, error) {
	subject, sid := query.Get("subject"), query.Get("sid")
	if subject == "" {
		return nil, nil, errWhoseSessions
	}
	done := []zap.Field{zap.String("subject", subject)}
	if sid != "" {
		err := a.broker.EndSession(a.ctx, subject, sid)
		return endedSessions{Sessions: 1}, append(done, zap.String("event", "session_ended"), zap.String("sid", sid), zap.Int("sessions", 1)), err
	}
	n, err := a.broker.EndUser(a.ctx, subject)
	return endedSessions{Sessions: n, Tokens: true}, append(done, zap.String("event", "tokens_revoked"), zap.Int("sessions", n)), err
}
