package stage

import (
	"context"
	"crypto/rand"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// startTenant runs the stand-in for Auth0 and points the Caddyfile at it.
func (e Example) startTenant(ctx context.Context) error {
	secret := rand.Text()
	tenant := brokertest.NewTenant(brokertest.Options{
		Issuer: "http://" + e.Tenant + "/",
		Clients: []brokertest.Client{{
			ID: "demo", Secret: secret, Name: "The broker of the demo",
			Callbacks: []string{e.callback()}, LogoutURLs: []string{e.afterLogout()},
		}},
	})
	if err := e.serve(ctx, e.Tenant, tenant); err != nil {
		return err
	}
	return setEnv(map[string]string{
		"AUTH0_DOMAIN": e.Tenant, "AUTH0_CLIENT_ID": "demo", "AUTH0_CLIENT_SECRET": secret,
	})
}
