package broker

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/demo"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

// addDemo makes the demo application one of the broker's clients, if it is on.
func (b *Broker) addDemo() error {
	if !b.config.Demo {
		return nil
	}
	b.demo = &demo.App{
		Issuer:        b.issuer,
		Broker:        http.HandlerFunc(b.ServeHTTP), // whose routes are not made yet
		EverywhereURL: b.issuer.Path + op.PathLogout,
		Scopes:        b.model.scopes,
		Claims:        b.model.claims,
		Origins:       b.server.Origins,
		Sessions:      b.sessions,
		Sealer:        b.sealer,
		Pages:         b.pages,
		Cookies:       b.server.Cookies,
		Log:           b.deps.Log,
		Now:           b.deps.Now,
	}
	if b.client(demo.ClientID) != nil {
		return fmt.Errorf("client %s: the id belongs to the demo application; give the client another one, or leave out demo", demo.ClientID)
	}
	return b.addClient(b.demo.Client())
}

// demoRoutes are the addresses of the demo application.
func (b *Broker) demoRoutes(mux *http.ServeMux) {
	if b.demo == nil {
		return
	}
	base := b.issuer.Path
	mux.HandleFunc("GET "+base+demo.PathFront+"{$}", b.demo.Front)
	mux.Handle("GET "+base+strings.TrimSuffix(demo.PathFront, "/"), http.RedirectHandler(base+demo.PathFront, http.StatusFound))
	mux.HandleFunc("GET "+base+demo.PathLogin, b.demo.Login)
	mux.HandleFunc("GET "+base+demo.PathCallback, b.demo.Callback)
	mux.HandleFunc("POST "+base+demo.PathRefresh, b.demo.Refresh)
	mux.HandleFunc("POST "+base+demo.PathLogout, b.demo.Logout)
}

// oursOfDemo says whether the path, below the issuer, is one of the demo
// application's.
func (b *Broker) oursOfDemo(path string) bool {
	return b.demo != nil && strings.HasPrefix(path+"/", demo.PathFront)
}
