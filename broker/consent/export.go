package consent

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// A Record is one grant as exports tell it, complete by itself. Its JSON form
// is public: names of members do not change.
type Record struct {
	// ServerID is "default": there is one server.
	ServerID string `json:"server_id"`
	ClientID string `json:"client_id"`
	Subject  string `json:"subject"`

	// Connection that the user had signed in through.
	Connection string `json:"idp_id,omitempty"`

	// Scope and the name it was granted under, or Claim and the kind of
	// token that it was asked for in. A withdrawal of all that a client
	// may have has neither.
	Scope        string `json:"scope_name,omitempty"`
	GrantedScope string `json:"granted_scope_name,omitempty"`
	Claim        string `json:"claim_name,omitempty"`
	ClaimType    string `json:"claim_type,omitempty"`

	// Resource is empty: scopes are granted for all of a client's audience.
	Resource string `json:"resource"`

	// Language of the page that asked (BCP 47); empty if unknown.
	Language string `json:"language"`

	// Times are UTC. A grant that never expires has no ExpiresAt. What is
	// withdrawn has WithdrawnAt, and no other time.
	GivenAt     time.Time `json:"given_at,omitzero"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
	WithdrawnAt time.Time `json:"withdrawn_at,omitzero"`
}

// A Filter chooses records. The zero Filter chooses all live grants.
type Filter struct {
	// Client and Subject restrict the records to those of one; empty does
	// not.
	Client, Subject string

	// Withdrawn adds what was taken back and not given again.
	Withdrawn bool
}

const (
	recordPrefix = "consent/"
	serverID     = "default"
)

// Export returns the records that f chooses, those of one subject and client
// together. It reads page by page: what is granted or withdrawn meanwhile may
// be in it or not. After an error there are no more records, and those before
// it are not all.
func (l *Ledger) Export(ctx context.Context, f Filter) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for who, err := range l.Holders(ctx, f) {
			if err != nil {
				yield(Record{}, err)
				return
			}
			records, err := l.records(ctx, who, f.Withdrawn)
			if err != nil {
				yield(Record{}, fmt.Errorf("exporting consents of client %q: %w", who.Client, err))
				return
			}
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// A Holder is a client that some user has let have something, once at least.
type Holder struct{ Subject, Client string }

// Holders returns whom the ledger has a record of, whatever is left in it, as
// far as f's Client and Subject choose them.
func (l *Ledger) Holders(ctx context.Context, f Filter) iter.Seq2[Holder, error] {
	prefix := recordPrefix
	if f.Subject != "" {
		prefix = recordKey(f.Subject, "")
	}
	return func(yield func(Holder, error) bool) {
		for key, err := range store.Keys(ctx, l.Store, prefix) {
			if err != nil {
				yield(Holder{}, fmt.Errorf("listing consents: %w", err))
				return
			}
			who, err := holderOf(key)
			if err == nil && f.Client != "" && who.Client != f.Client {
				continue
			}
			if !yield(who, err) || err != nil {
				return
			}
		}
	}
}

// holderOf reads a key that recordKey made.
func holderOf(key string) (Holder, error) {
	escaped, client, found := strings.Cut(strings.TrimPrefix(key, recordPrefix), " ")
	subject, err := url.QueryUnescape(escaped)
	if !found || err != nil {
		return Holder{}, errors.New("listing consents: a key is not readable")
	}
	return Holder{Subject: subject, Client: client}, nil
}

func (l *Ledger) records(ctx context.Context, who Holder, withdrawn bool) ([]Record, error) {
	grants, _, err := l.load(ctx, recordKey(who.Subject, who.Client))
	if err != nil {
		return nil, err
	}
	var out []Record
	for _, key := range slices.Sorted(maps.Keys(grants)) {
		g := grants[key]
		r := Record{
			ServerID: serverID, ClientID: who.Client, Subject: who.Subject,
			Scope: g.Scope, GrantedScope: g.Scope, Claim: g.Claim, ClaimType: g.ClaimType,
		}
		switch {
		case l.live(g):
			r.Connection, r.Language, r.GivenAt, r.ExpiresAt = g.Connection, g.Language, g.GivenAt, g.ExpiresAt
		case withdrawn && g.GivenAt.IsZero():
			r.WithdrawnAt = g.WithdrawnAt
		default: // expired, or not asked for
			continue
		}
		out = append(out, r)
	}
	return out, nil
}
