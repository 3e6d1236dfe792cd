package main

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// startTenant runs the stand-in for Auth0 and points the Caddyfile at it.
func startTenant() (stop func(), err error) {
	secret := rand.Text()
	tenant := brokertest.NewTenant(brokertest.Options{
		Issuer: "http://localhost:8423/",
		Clients: []brokertest.Client{{
			ID: "demo", Secret: secret, Name: "The broker of the demo",
			Callbacks:  []string{issuer + "/oauth2/callback/auth0"},
			LogoutURLs: []string{issuer + "/oauth2/logout"},
		}},
	})
	l, err := net.Listen("tcp", tenantAddr)
	if err != nil {
		return nil, fmt.Errorf("%w; the demo needs ports 8420 to 8424", err)
	}
	srv := &http.Server{Handler: tenant, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(l) }()
	for name, value := range map[string]string{
		"AUTH0_DOMAIN": "localhost:8423", "AUTH0_CLIENT_ID": "demo", "AUTH0_CLIENT_SECRET": secret,
	} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	return func() { _ = srv.Close() }, nil
}

// notesSecret makes the secret that the client and the broker share.
func notesSecret() (string, error) {
	secret := rand.Text()
	return secret, os.Setenv("NOTES_SECRET", secret)
}
