package broker

import (
	"net/http"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// Where the pages' style sheet and the operator's logo are, below the issuer.
const (
	pathStyle = "/oauth2/assets/style.css"
	pathBrand = "/oauth2/assets/" + ui.LogoName
)

// Metadata addresses. The second has a form of its own for issuers with a
// path (RFC 8414, 3.1).
const (
	pathOpenID = "/.well-known/openid-configuration"
	pathOAuth  = "/.well-known/oauth-authorization-server"
)

// routes is the whole HTTP surface of the issuer. Another method than those
// named is answered with 405.
func (b *Broker) routes() http.Handler {
	s, base := b.server, b.issuer.Path
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+pathOpenID, s.Metadata)
	mux.HandleFunc("GET "+base+pathOAuth, s.Metadata)
	if base != "" {
		mux.HandleFunc("GET "+pathOAuth+base, s.Metadata)
	}
	mux.HandleFunc("GET "+base+op.PathJWKS, s.JWKS)

	mux.HandleFunc("GET "+base+op.PathAuthorize, s.Authorize)
	mux.HandleFunc("POST "+base+op.PathAuthorize, s.Authorize)
	mux.HandleFunc("GET "+base+op.PathLogin, s.Login)
	mux.HandleFunc("POST "+base+op.PathLogin, s.Login)
	mux.HandleFunc("GET "+base+op.PathCallback+"{connection}", s.Callback)
	mux.HandleFunc("GET "+base+op.PathConsent, s.Consent)
	mux.HandleFunc("POST "+base+op.PathConsent, s.Consent)

	mux.HandleFunc("GET "+base+op.PathLogout, s.Logout)
	mux.HandleFunc("POST "+base+op.PathLogout, s.Logout)

	mux.HandleFunc("GET "+base+op.PathResume, s.PostAuthnResume)
	mux.HandleFunc("GET "+base+op.PathPostAuthn+"{login_id}", s.PostAuthn)
	mux.HandleFunc("POST "+base+op.PathPostAuthn+"{login_id}/complete", s.PostAuthnComplete)
	mux.HandleFunc("POST "+base+op.PathPostAuthn+"{login_id}/abort", s.PostAuthnAbort)

	mux.HandleFunc("POST "+base+op.PathToken, s.Token)
	mux.HandleFunc("POST "+base+op.PathIntrospect, s.Introspect)
	mux.HandleFunc("POST "+base+op.PathRevoke, s.Revoke)
	mux.HandleFunc("GET "+base+op.PathClients, s.Clients)
	mux.HandleFunc("DELETE "+base+op.PathClients+"/{client}", s.WithdrawClient)
	mux.HandleFunc("DELETE "+base+op.PathClients+"/{client}/scopes/{scope}", s.WithdrawClient)
	mux.HandleFunc("DELETE "+base+op.PathTokens, s.RevokeTokens)
	mux.HandleFunc("GET "+base+op.PathUserinfo, s.Userinfo)
	mux.HandleFunc("POST "+base+op.PathUserinfo, s.Userinfo)

	mux.Handle("GET "+base+pathStyle, b.pages.Style())
	mux.Handle("GET "+base+pathBrand, b.pages.Logo())
	mux.HandleFunc("GET "+base+op.PathLogo+"{key}", s.Logo)
	b.portalRoutes(mux)
	b.demoRoutes(mux)
	return mux
}

// Ours says whether the path is an address of the issuer, or below one that
// is reserved for it. What is ours never reaches the application that
// shares the host.
func (b *Broker) Ours(path string) bool {
	rest, found := strings.CutPrefix(path, b.issuer.Path)
	if !found {
		return path == pathOAuth+b.issuer.Path
	}
	switch rest {
	case pathOpenID, pathOAuth, op.PathJWKS:
		return true
	}
	return strings.HasPrefix(rest, "/oauth2/") || strings.HasPrefix(rest, op.PathPostAuthn) || oursOfPortal(rest) || b.oursOfDemo(rest) || path == pathOAuth+b.issuer.Path
}
