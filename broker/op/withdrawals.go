package op

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Withdrawals is what an administrator takes back: of one user, of one
// client, or of both. Scopes, which need a client, restrict it to these.
type Withdrawals struct {
	Subject, Client string
	Scopes          []string
}

// Withdrawn counts what was taken back.
type Withdrawn struct {
	// Grants are scopes and claims that were live until then.
	Grants int `json:"grants"`

	// Users and Clients are those whose grants these were. Users of a
	// trusted client, for which no grants are kept, count as often as they
	// are asked for.
	Users   int `json:"users"`
	Clients int `json:"clients"`
}

// WithdrawAll takes back all that w names, as if each user had done so. After
// an error a part of it may be taken back; to call it again finishes.
func (s *Server) WithdrawAll(ctx context.Context, w Withdrawals) (Withdrawn, error) {
	var done Withdrawn
	if w.Subject == "" && w.Client == "" || len(w.Scopes) > 0 && w.Client == "" {
		return done, errors.New("withdrawing consents: neither a user nor a client is named") // never everything
	}
	seen, users, clients := map[consent.Holder]bool{}, map[string]bool{}, map[string]bool{}
	each := s.holders(ctx, w)
	if w.Subject != "" && w.Client != "" {
		each = one(consent.Holder{Subject: w.Subject, Client: w.Client})
	}
	for who, err := range each {
		if err != nil {
			return done, err
		}
		if seen[who] {
			continue
		}
		seen[who] = true
		n, err := s.withdrawn(ctx, who, w.Scopes)
		if err != nil {
			return done, err
		}
		if n > 0 || s.trusts(who.Client) {
			users[who.Subject], clients[who.Client] = true, true
		}
		done.Grants += n
		done.Users, done.Clients = len(users), len(clients)
	}
	return done, nil
}

// withdrawn withdraws, and counts what was live before.
func (s *Server) withdrawn(ctx context.Context, who consent.Holder, scopes []string) (n int, err error) {
	grants, err := s.Ledger.Grants(ctx, who.Subject, who.Client)
	if err != nil {
		return 0, err
	}
	for name := range grants {
		if len(scopes) == 0 || slices.Contains(scopes, name) {
			n++
		}
	}
	return n, s.Withdraw(ctx, who.Subject, who.Client, scopes...)
}

// trusts says whether the client is one whose users are never asked.
func (s *Server) trusts(clientID string) bool {
	c := s.Client(clientID)
	return c != nil && c.Consent == oauth.ConsentTrusted
}

func one(who consent.Holder) iter.Seq2[consent.Holder, error] {
	return func(yield func(consent.Holder, error) bool) { yield(who, nil) }
}

// holders are the users and clients that w is about. Of trusted clients, and
// of scopes that are granted each time anew, no grant tells: where their users
// have been does.
func (s *Server) holders(ctx context.Context, w Withdrawals) iter.Seq2[consent.Holder, error] {
	return func(yield func(consent.Holder, error) bool) {
		for who, err := range s.Ledger.Holders(ctx, consent.Filter{Client: w.Client, Subject: w.Subject}) {
			if !yield(who, err) || err != nil {
				return
			}
		}
		for who, err := range s.visited(ctx, w) {
			if !yield(who, err) || err != nil {
				return
			}
		}
	}
}

// visited are the clients at which users have been, see noteUse.
func (s *Server) visited(ctx context.Context, w Withdrawals) iter.Seq2[consent.Holder, error] {
	const prefix = "use/"
	from := prefix
	if w.Subject != "" {
		from = usePrefix(w.Subject)
	}
	return func(yield func(consent.Holder, error) bool) {
		for key, err := range store.Keys(ctx, s.Store, from) {
			if err != nil {
				yield(consent.Holder{}, fmt.Errorf("listing clients: %w", err))
				return
			}
			escaped, client, _ := strings.Cut(strings.TrimPrefix(key, prefix), " ")
			subject, err := url.QueryUnescape(escaped)
			if err != nil || w.Client != "" && client != w.Client {
				continue
			}
			if !yield(consent.Holder{Subject: subject, Client: client}, nil) {
				return
			}
		}
	}
}
