package op

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// keepValues keeps what a sign-in has after a stage, while a window is open.
// What is kept is text: later stages cannot change it.
func (s *Server) keepValues(l *login, stage authn.Stage, of func() any) {
	s.values.mu.Lock()
	open := s.liveWindow() != nil
	s.values.mu.Unlock()
	if !open {
		return // the usual case, which costs nothing
	}
	raw, err := json.Marshal(of())
	if err != nil {
		return
	}
	s.values.mu.Lock()
	defer s.values.mu.Unlock()
	if w := s.liveWindow(); w != nil {
		w.add(l.ID, stage, raw)
	}
}

// add keeps the values of one stage. The sign-in that is over the number goes:
// the one that began first.
func (w *valuesWindow) add(loginID string, stage authn.Stage, raw json.RawMessage) {
	i := w.find(loginID)
	if i < 0 {
		if len(w.kept) == valuesKept {
			w.kept = slices.Delete(w.kept, 0, 1)
		}
		w.kept, i = append(w.kept, &SignInValues{LoginID: loginID}), len(w.kept)
	}
	v := w.kept[i]
	if had := slices.IndexFunc(v.Stages, func(s StageValues) bool { return s.Stage == stage }); had >= 0 {
		v.size -= len(v.Stages[had].Values) // a second tab, or the same step again
		v.Stages = slices.Delete(v.Stages, had, had+1)
	}
	if v.size+len(raw) > maxValues {
		if !slices.Contains(v.Cut, stage) {
			v.Cut = append(v.Cut, stage)
		}
		return
	}
	v.Stages, v.size = append(v.Stages, StageValues{stage, raw}), v.size+len(raw)
}

// keepTokenValues keeps what the client's tokens will carry.
func (s *Server) keepTokenValues(ctx context.Context, l *login) {
	s.keepValues(l, StageTokens, func() any {
		client := s.Client(l.Request.ClientID)
		if client == nil || l.Context == nil {
			return nil
		}
		subject, err := s.Subjects.For(ctx, client, l.Context.Subject)
		if err != nil {
			return nil
		}
		view := (&authn.Authorization{Subject: subject, Scopes: l.Granted, Context: l.Context}).View()
		out := map[string]any{}
		for _, typ := range claims.TokenTypes() {
			var asked []string
			switch typ {
			case claims.IDToken:
				asked = l.Claims.IDToken
			case claims.Userinfo:
				asked = l.Claims.Userinfo
			default: // the claims parameter knows no others
			}
			out[string(typ)] = redacted(claims.Release(view, l.Granted, typ, s.Claims, asked))
		}
		return out
	})
}

// keepDocuments keeps what the upstream has told.
func (s *Server) keepDocuments(l *login, docs claims.Documents) {
	s.keepValues(l, authn.StageUpstream, func() any {
		out := make(map[string]any, len(docs))
		for source, document := range docs {
			out[string(source)] = redacted(document)
		}
		return out
	})
}

// keepContext keeps the authentication context as a stage has left it.
func (s *Server) keepContext(l *login, stage authn.Stage, c *authn.Context) {
	s.keepValues(l, stage, func() any { return redacted(c.View(nil)) })
}
