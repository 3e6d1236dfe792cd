package main

import (
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"net/http"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/caddy-auth-broker/caddy-auth-broker/examples/internal/stage"
)

//go:embed notes.html
var notesHTML string

var notesPage = stage.NewPage(notesHTML)

// notes is an ordinary OpenID Connect client: discovery, code with PKCE, an
// ID token verified by a library. It would work the same with any provider.
func notes(secret string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		notesPage.Show(w, http.StatusOK, nil)
	})
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		config, _, err := client(r, secret)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		// Three values bind the answer to this browser: state, nonce and the
		// code verifier.
		state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
		remember(w, "state", state)
		remember(w, "nonce", nonce)
		remember(w, "verifier", verifier)
		//nolint:gosec // the address is the broker's, from its metadata
		http.Redirect(w, r, config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), http.StatusFound)
	})
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		view, status := callback(r, secret)
		notesPage.Show(w, status, view)
	})
	return mux
}

// client discovers the broker anew each time, which is slow but short.
func client(r *http.Request, secret string) (*oauth2.Config, *oidc.Provider, error) {
	provider, err := oidc.NewProvider(r.Context(), issuer)
	if err != nil {
		return nil, nil, err
	}
	return &oauth2.Config{
		ClientID: "notes", ClientSecret: secret,
		Endpoint:    provider.Endpoint(),
		RedirectURL: clientApp + "/callback",
		Scopes:      []string{oidc.ScopeOpenID, "profile", "email"},
	}, provider, nil
}

func callback(r *http.Request, secret string) (view map[string]any, status int) {
	failed := func(what string) (map[string]any, int) {
		return map[string]any{"Problem": what}, http.StatusBadRequest
	}
	if code := r.URL.Query().Get("error"); code != "" {
		return failed("The broker answered: " + code)
	}
	if state := recall(r, "state"); state == "" || r.URL.Query().Get("state") != state {
		return failed("This answer belongs to another sign-in.")
	}
	config, provider, err := client(r, secret)
	if err != nil {
		return failed("The broker cannot be reached.")
	}
	tokens, err := config.Exchange(r.Context(), r.URL.Query().Get("code"), oauth2.VerifierOption(recall(r, "verifier")))
	if err != nil {
		return failed("The code could not be redeemed.")
	}
	raw, _ := tokens.Extra("id_token").(string)
	idToken, err := provider.Verifier(&oidc.Config{ClientID: "notes"}).Verify(r.Context(), raw)
	if err != nil || idToken.Nonce != recall(r, "nonce") {
		return failed("The ID token is not valid.")
	}
	userinfo, err := provider.UserInfo(r.Context(), oauth2.StaticTokenSource(tokens))
	if err != nil {
		return failed("Userinfo could not be read.")
	}
	var claims map[string]any
	if err := userinfo.Claims(&claims); err != nil {
		return failed("Userinfo could not be read.")
	}
	text, _ := json.MarshalIndent(claims, "", "  ")
	return map[string]any{
		"User": claims["name"], "IDToken": stage.Decode(raw), "AccessToken": stage.Decode(tokens.AccessToken), "Userinfo": string(text),
	}, http.StatusOK
}

// remember keeps a value in the browser until the callback.
func remember(w http.ResponseWriter, name, value string) {
	//nolint:gosec // the demo is plain http, where a Secure cookie would be refused
	http.SetCookie(w, &http.Cookie{Name: "notes_" + name, Value: value, Path: "/callback", MaxAge: 600, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func recall(r *http.Request, name string) string {
	c, err := r.Cookie("notes_" + name)
	if err != nil {
		return ""
	}
	return c.Value
}
