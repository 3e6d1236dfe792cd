package op

import (
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
)

// OutcomeCode is the outcome of a sign-in that brought the client a code.
const OutcomeCode = "code_issued"

// A TraceSummary says which sign-in it was and how it ended.
type TraceSummary struct {
	// LoginID is the sign-in's own, Trace the correlation id that log,
	// error page and error_description have.
	LoginID string `json:"login_id"`
	Trace   string `json:"trace"`

	// Time is when it ended, in UTC.
	Time       time.Time `json:"time"`
	Connection string    `json:"connection"`
	Client     string    `json:"client"`

	// Outcome is OutcomeCode, or the error code that the client or the
	// person got. Reason is what the log calls it, such as
	// "attribute_missing"; empty for a code.
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
}

// A TraceRecord is what became of the person's data in one sign-in: what every
// stage did, and which claims the client's tokens carry or why not. It has
// names, types and sizes, and never a value.
type TraceRecord struct {
	TraceSummary

	// Scopes that the client may ask for, asked for, and was granted.
	// The claims are those that needed a grant of their own.
	Allowed   []string   `json:"allowed,omitempty"`
	Requested TraceItems `json:"requested,omitzero"`
	Granted   TraceItems `json:"granted,omitzero"`

	// Entries are what the stages did, in their order.
	Entries authn.Trace `json:"entries"`

	// Deliveries are what became of each declared claim, by token. There
	// are none unless the client got a code.
	Deliveries map[claims.TokenType][]claims.Delivery `json:"deliveries,omitempty"`
}

// TraceItems are scopes, and single claims of the claims parameter.
type TraceItems struct {
	Scopes []string              `json:"scopes,omitempty"`
	Claims authn.RequestedClaims `json:"claims,omitzero"`
}

// IsZero reports whether there is nothing.
func (i TraceItems) IsZero() bool { return len(i.Scopes) == 0 && i.Claims.IsZero() }

// traceRecord returns what is kept of a login that has ended.
func (s *Server) traceRecord(l *login, outcome, reason string) *TraceRecord {
	r := &TraceRecord{
		TraceSummary: TraceSummary{
			LoginID: l.ID, Trace: l.Trace, Time: s.Now().UTC(),
			Connection: l.Connection, Client: l.Request.ClientID, Outcome: outcome, Reason: reason,
		},
		Requested: TraceItems{Scopes: l.Request.Scopes},
		Granted:   TraceItems{Scopes: l.Granted, Claims: l.Claims},
		Entries:   l.Lineage,
	}
	client := s.Client(l.Request.ClientID)
	if client == nil {
		return r // removed meanwhile
	}
	r.Allowed, r.Requested.Claims = client.Scopes, s.askedClaims(l, client)
	if outcome == OutcomeCode {
		r.Deliveries = s.deliveries(r, l.Context, client)
	}
	return r
}

// deliveries explains every kind of token as it will be minted.
func (s *Server) deliveries(r *TraceRecord, c *authn.Context, client *oauth.Client) map[claims.TokenType][]claims.Delivery {
	out := make(map[claims.TokenType][]claims.Delivery)
	for _, typ := range claims.TokenTypes() {
		p := claims.Permission{Allowed: client.Scopes, Requested: r.Requested.Scopes, Granted: r.Granted.Scopes}
		switch typ {
		case claims.IDToken:
			p.RequestedClaims, p.GrantedClaims = r.Requested.Claims.IDToken, r.Granted.Claims.IDToken
		case claims.Userinfo:
			p.RequestedClaims, p.GrantedClaims = r.Requested.Claims.Userinfo, r.Granted.Claims.Userinfo
		default: // the claims parameter knows no others
		}
		out[typ] = r.Entries.Explain(c, typ, s.Claims, p)
	}
	return out
}
