package caddymodule

import (
	"iter"
	"net/url"
	"strconv"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

// consentLines exports the consents of everybody, or of one user or client;
// with withdrawn=true those that were taken back, too.
func consentLines(a *App, query url.Values) (iter.Seq2[any, error], error) {
	f := consent.Filter{Client: query.Get("client"), Subject: query.Get("subject")}
	if query.Has("withdrawn") {
		var err error
		if f.Withdrawn, err = strconv.ParseBool(query.Get("withdrawn")); err != nil {
			return nil, mistaken("parameter \"withdrawn\" must be true or false")
		}
	}
	return func(yield func(any, error) bool) {
		for record, err := range a.broker.Consents(a.ctx, f) {
			if !yield(record, err) {
				return
			}
		}
	}, nil
}

// withdrawConsents takes back the consents of one user, of one client, or of
// both, as the users could themselves. Nobody means all of them: to name
// neither is a mistake.
func withdrawConsents(a *App, query url.Values) (any, []zap.Field, error) {
	w := op.Withdrawals{Subject: query.Get("subject"), Client: query.Get("client"), Scopes: query["scope"]}
	switch {
	case w.Subject == "" && w.Client == "":
		return nil, nil, mistaken("whose consents? Name a user by subject, a client by client, or both")
	case w.Client == "" && len(w.Scopes) > 0:
		return nil, nil, mistaken("parameter \"scope\" needs a client")
	}
	done, err := a.broker.WithdrawConsents(a.ctx, w)
	return done, []zap.Field{
		zap.String("event", "consents_withdrawn"), zap.String("subject", w.Subject), zap.String("client", w.Client), zap.Strings("scopes", w.Scopes),
		zap.Int("grants", done.Grants), zap.Int("users", done.Users), zap.Int("clients", done.Clients),
	}, err
}
