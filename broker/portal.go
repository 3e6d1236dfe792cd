package broker

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/demo"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/portal"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/token"
)

// The portal's gate keeps its sessions apart from those of a site that may
// share the issuer's origin.
const (
	portalReserved = portal.Path + "/auth/"
	portalCookie   = "auth_broker_portal"
)

var errPortalID = errors.New("client " + portal.ClientID + ": the id belongs to the user portal, which every broker has; give the client another one")

// addPortal makes the portal: a trusted client, with a gate of its own in
// front of it.
func (b *Broker) addPortal() error {
	base := b.issuer.Path + portal.Path
	site := gateway.Site{
		Origin:   &url.URL{Scheme: b.issuer.Scheme, Host: b.issuer.Host},
		Reserved: b.issuer.Path + portalReserved,
		Cookie:   portalCookie,
		Home:     base,
	}
	site.Client = &oauth.Client{
		ID: portal.ClientID, Name: "Portal", URI: b.config.Issuer + portal.Path, RedirectURIs: []string{site.CallbackURL()},
		Scopes: []string{oauth.ScopeOpenID}, Consent: oauth.ConsentTrusted, IDTokenAlg: token.ES256,
		AccessLifetime: gateLifetime, IDLifetime: gateLifetime, Gate: true,
	}
	if err := b.addClient(site.Client); err != nil {
		return err
	}
	gate, err := gateway.New(
		gateway.Config{Sites: []gateway.Site{site}, Headers: []gateway.Header{}, Fingerprint: b.fingerprint(), Origins: true},
		gateway.Deps{
			Broker: inProcess{b}, Sessions: b.sessions, Sealer: b.sealer, Cache: b.deps.Cache,
			Pages: b.pages, Log: b.deps.Log, Now: b.deps.Now,
		},
	)
	if err != nil {
		return err
	}
	b.gates = append(b.gates, gate)
	b.portal = portalHandler{gate: gate, portal: &portal.Portal{
		Base: base, SignOut: site.Reserved + "logout", Broker: inProcess{b}, Fields: b.model.schema.Fields(),
		Sealer: b.sealer, Pages: b.pages, Log: b.deps.Log, Now: b.deps.Now,
	}}
	if b.config.Demo {
		b.portal.portal.Demo = b.issuer.Path + demo.PathLogin
	}
	return nil
}

// portalRoutes are the addresses of the portal and of its gate.
func (b *Broker) portalRoutes(mux *http.ServeMux) {
	mux.Handle(b.issuer.Path+portal.Path, b.portal)
	mux.Handle(b.issuer.Path+portal.Path+"/", b.portal)
}

// oursOfPortal says whether the path, below the issuer, is one of the
// portal's.
func oursOfPortal(path string) bool { return strings.HasPrefix(path+"/", portal.Path+"/") }

// portalHandler is the portal behind its gate.
type portalHandler struct {
	gate   *gateway.Gate
	portal *portal.Portal
}

func (h portalHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The portal has answered whatever went wrong there.
	_ = h.gate.Serve(w, r, r.URL, func(w http.ResponseWriter, r *http.Request, v *gateway.Visitor) error {
		h.portal.Serve(w, r, v.Authorization())
		return nil
	})
}
