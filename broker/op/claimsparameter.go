package op

import (
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// askedClaims are the claims of the claims parameter (OpenID Connect Core,
// 5.5) that need an answer of their own. Left out are claims that nobody
// declared, those that come with a scope of the request or need none, and
// those that no scope of the client's list carries: a parameter must not
// reach further than the scopes that the operator allows the client.
func (s *Server) askedClaims(l *login, c *oauth.Client) (asked authn.RequestedClaims) {
	idToken, userinfo := l.Request.Claims.Names()
	separate := func(t claims.TokenType, names []string) (out []string) {
		for _, name := range names {
			if claim := s.claim(name, t); claim != nil &&
				oauth.Overlap(claim.Scopes, c.Scopes) && !oauth.Overlap(claim.Scopes, l.Request.Scopes) {
				out = append(out, name)
			}
		}
		return out
	}
	return authn.RequestedClaims{
		IDToken:  separate(claims.IDToken, idToken),
		Userinfo: separate(claims.Userinfo, userinfo),
	}
}

// claim returns the declaration of a claim for tokens of type t, or nil.
func (s *Server) claim(name string, t claims.TokenType) *claims.Claim {
	i := slices.IndexFunc(s.Claims, func(c claims.Claim) bool { return c.Name == name && c.In(t) })
	if i < 0 {
		return nil
	}
	return &s.Claims[i]
}

// claimLines are the lines of the consent page for single claims: one for
// each name, whichever tokens it is asked for in.
func (s *Server) claimLines(l *login, c *oauth.Client, q consent.Question) (lines []ui.Claim) {
	asked, given := s.askedClaims(l, c), q.Granted.Claims
	var seen []string
	for _, name := range slices.Concat(asked.IDToken, asked.Userinfo) {
		if slices.Contains(seen, name) {
			continue
		}
		seen = append(seen, name)
		label, description := s.describeClaim(name)
		lines = append(lines, ui.Claim{
			Name: name, DisplayName: label, Description: description,
			Granted: covered(asked.IDToken, given.IDToken, name) && covered(asked.Userinfo, given.Userinfo, name),
		})
	}
	return lines
}

// covered says that name is given if it is asked for.
func covered(asked, given []string, name string) bool {
	return !slices.Contains(asked, name) || slices.Contains(given, name)
}

// describeClaim returns what people read about a claim: its description, and
// the description of the place in the context that it comes from.
func (s *Server) describeClaim(name string) (label, description string) {
	claim := s.claim(name, claims.Userinfo)
	if claim == nil {
		return "", ""
	}
	for _, f := range s.Schema.Fields() {
		if f.Name.Equal(claim.Place()) {
			label = f.Description
		}
	}
	return label, claim.Description
}

// grantedClaims are those of the answer: given earlier, or ticked.
func grantedClaims(asked, given authn.RequestedClaims, ticked []string) authn.RequestedClaims {
	pick := func(asked, given []string) (out []string) {
		for _, name := range asked {
			if slices.Contains(given, name) || slices.Contains(ticked, name) {
				out = append(out, name)
			}
		}
		return out
	}
	return authn.RequestedClaims{
		IDToken:  pick(asked.IDToken, given.IDToken),
		Userinfo: pick(asked.Userinfo, given.Userinfo),
	}
}
