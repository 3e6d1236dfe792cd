package op

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
)

// Holds says whether the user has not taken back, in whole or in part, what
// the authorization gives its client, nor had all tokens revoked. Everything
// that acts on one asks: a code that is redeemed, a token at userinfo, a gate
// session.
func (s *Server) Holds(ctx context.Context, a *authn.Authorization) (bool, error) {
	revoked, err := s.revokedSince(ctx, a.Context.Subject, a.Created)
	if err != nil || revoked {
		return false, err
	}
	items := consent.Items{Scopes: a.Scopes, Claims: a.Claims}
	return s.Ledger.Holds(ctx, a.Context.Subject, a.ClientID, items, a.Created)
}

// Withdraw takes back what subject let a client have, or the named scopes of
// it, at once: from then on its codes, its tokens at our own endpoints and its
// gate sessions are refused. A JWT that somebody verifies alone ends at its
// expiry.
//
// What the client neither has nor may ask for is passed over, and so is a
// client that the user was never at. The names come from whoever holds a
// user's token, and a withdrawal is kept for good: made-up ones would fill the
// store.
func (s *Server) Withdraw(ctx context.Context, subject, clientID string, scopes ...string) error {
	grants, err := s.Ledger.Grants(ctx, subject, clientID)
	if err != nil {
		return err
	}
	client, named := s.Client(clientID), len(scopes) > 0
	scopes = slices.DeleteFunc(slices.Clone(scopes), func(name string) bool {
		_, granted := grants[name]
		return !granted && (client == nil || !slices.Contains(client.Scopes, name))
	})
	if named && len(scopes) == 0 {
		return nil
	}
	if len(grants) == 0 {
		been, err := s.hasUsed(ctx, subject, clientID)
		if err != nil || !been {
			return err
		}
	}
	if err := s.Ledger.Withdraw(ctx, subject, clientID, scopes...); err != nil {
		return err
	}
	if err := s.tellWithdrawal(ctx, subject); err != nil {
		return err
	}
	s.Log.Info("client_consents_revoked", zap.String("subject", subject), zap.String("client", clientID), zap.Strings("scopes", scopes))
	return nil
}

// tellWithdrawal makes every cache ask again whether what subject gave still
// holds: here at once, whatever happens, and on other nodes, which see the key
// change.
func (s *Server) tellWithdrawal(ctx context.Context, subject string) error {
	if s.OnWithdrawal != nil {
		s.OnWithdrawal(subject)
	}
	if err := s.Store.Put(ctx, withdrawnKey(subject), []byte{1}, time.Hour); err != nil {
		return fmt.Errorf("telling of a withdrawal: %w", err)
	}
	return nil
}

const withdrawnPrefix = "withdrawn/"

func withdrawnKey(subject string) string { return withdrawnPrefix + url.QueryEscape(subject) }

// WithdrawnFrom returns the subject whose withdrawal the change of a store
// key tells of.
func WithdrawnFrom(key string) (subject string, ok bool) {
	escaped, ok := strings.CutPrefix(key, withdrawnPrefix)
	if !ok {
		return "", false
	}
	subject, err := url.QueryUnescape(escaped)
	return subject, err == nil
}

// clientAccess is what a user has let one client have.
type clientAccess struct {
	Client struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		URI     string `json:"client_uri"`
		LogoURI string `json:"logo_uri"`
	} `json:"client"`
	Scopes []grantedScope `json:"granted_scopes"`
	Claims []grantedClaim `json:"granted_claims"`
}

type grantedScope struct {
	Name        string    `json:"scope_name"`
	GrantedName string    `json:"granted_scope_name"`
	GivenAt     time.Time `json:"given_at"`
}

type grantedClaim struct {
	Name    string    `json:"claim_name"`
	Type    string    `json:"claim_type"`
	GivenAt time.Time `json:"given_at"`
}

// Clients lists the clients that the user of the token has given access to.
// The token needs the scope list_clients_with_access.
func (s *Server) Clients(w http.ResponseWriter, r *http.Request) {
	a, ok := s.selfService(w, r, claims.ScopeListClients)
	if !ok {
		return
	}
	list, err := s.clientsOf(r.Context(), a.Context.Subject)
	if err != nil {
		s.callFailed(w, a.ClientID, err)
		return
	}
	writeJSON(w, http.StatusOK, list)
}

func (s *Server) clientsOf(ctx context.Context, subject string) ([]clientAccess, error) {
	ids, err := s.Ledger.Clients(ctx, subject)
	if err != nil {
		return nil, err
	}
	list := make([]clientAccess, 0, len(ids))
	for _, id := range ids {
		grants, err := s.Ledger.Grants(ctx, subject, id)
		if err != nil {
			return nil, err
		}
		list = append(list, s.access(id, grants))
	}
	return list, nil
}

// access describes the grants of a client, which may be gone from the
// configuration: its users can withdraw all the same.
func (s *Server) access(id string, grants map[string]consent.Grant) clientAccess {
	out := clientAccess{Scopes: []grantedScope{}, Claims: []grantedClaim{}}
	out.Client.ID, out.Client.Name = id, id
	if c := s.Client(id); c != nil {
		out.Client.Name, out.Client.URI, out.Client.LogoURI = c.DisplayName(), c.URI, c.LogoURI
	}
	for _, g := range grants {
		if g.Claim != "" {
			out.Claims = append(out.Claims, grantedClaim{g.Claim, g.ClaimType, g.GivenAt})
		} else {
			out.Scopes = append(out.Scopes, grantedScope{g.Scope, g.Scope, g.GivenAt})
		}
	}
	slices.SortFunc(out.Scopes, func(a, b grantedScope) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(out.Claims, func(a, b grantedClaim) int { return strings.Compare(a.Name+" "+a.Type, b.Name+" "+b.Type) })
	return out
}

// WithdrawClient takes back what the user of the token let a client have, or
// one scope of it. The token needs the scope revoke_client_access. A client
// that has nothing is answered alike: what is asked for is the case.
func (s *Server) WithdrawClient(w http.ResponseWriter, r *http.Request) {
	a, ok := s.selfService(w, r, claims.ScopeWithdraw)
	if !ok {
		return
	}
	var scopes []string
	if scope := r.PathValue("scope"); scope != "" {
		scopes = []string{scope}
	}
	if err := s.Withdraw(r.Context(), a.Context.Subject, r.PathValue("client"), scopes...); err != nil {
		s.callFailed(w, a.ClientID, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// selfService returns the authorization behind a user's token that has the
// scope. Otherwise it has answered (RFC 6750, 3).
func (s *Server) selfService(w http.ResponseWriter, r *http.Request, scope string) (*authn.Authorization, bool) {
	const realm = "clients"
	raw, oerr := bearer(w, r)
	if oerr != nil {
		bearerError(w, realm, oerr)
		return nil, false
	}
	a, err := s.authorizationOf(r.Context(), raw)
	switch {
	case errors.Is(err, token.ErrInvalid):
		bearerError(w, realm, &oauth.Error{Code: oauth.InvalidToken, Status: http.StatusUnauthorized, Description: "the access token is not valid, has expired, or was revoked"})
	case err != nil:
		s.callFailed(w, "", err)
	case !slices.Contains(a.Scopes, scope):
		bearerError(w, realm, &oauth.Error{Code: oauth.InsufficientScope, Status: http.StatusForbidden, Description: "the token lacks the scope " + scope})
	default:
		return a, true
	}
	return nil, false
}
