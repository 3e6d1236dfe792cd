package op

import (
	"context"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
)

// Origins tells where the values come from that are behind a live access
// token of ours, by their place in the authentication context. It holds none
// of them. The error of a token that does not hold is token.ErrInvalid.
func (s *Server) Origins(ctx context.Context, accessToken string) (authn.Origins, error) {
	a, err := s.authorizationOf(ctx, accessToken)
	if err != nil {
		return nil, err
	}
	return a.Context.Origins, nil
}
