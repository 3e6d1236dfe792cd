package main

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"log"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

//go:embed choose.html problem.html style.css
var files embed.FS

var pages = template.Must(template.ParseFS(files, "*.html"))

// ask shows the question.
func ask(w http.ResponseWriter, status int, v visit, session *loginSession, problem string) {
	w.Header().Set("Content-Security-Policy", policy(formTargets(session)))
	show(w, status, "choose.html", map[string]any{
		"Visit": v, "Client": session.ClientInfo.Name, "Name": session.Context["name"], "Email": session.Context["email"],
		"Organizations": organizationsOf(session), "Problem": problem,
	})
}

// showProblem tells the user what to do, and the log why.
func showProblem(w http.ResponseWriter, err error) {
	status, text := http.StatusBadGateway, "Signing in cannot go on right now. Please try again in a minute."
	switch {
	case errors.Is(err, errNotWaiting):
		status, text = http.StatusNotFound, "This sign-in has ended. Please go back to where you came from, and sign in again."
	case errors.Is(err, errAnswered):
		status, text = http.StatusConflict, "You have answered this already. If you want to answer otherwise, sign in again."
	default:
		log.Printf("welcome: %v", err)
	}
	w.Header().Set("Content-Security-Policy", policy("'none'"))
	show(w, status, "problem.html", text)
}

func show(w http.ResponseWriter, status int, page string, view any) {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, page, view); err != nil {
		log.Printf("welcome: showing %s: %v", page, err)
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	// The page holds the login_state, and at first its address does.
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

// policy is strict: no scripts, no frames, nothing from elsewhere.
func policy(formTargets string) string {
	return "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action " + formTargets
}

// source is what may stand in a policy: an origin, or the scheme of an
// application outside the browser.
var source = regexp.MustCompile(`^(https?://[a-z0-9.-]+(:[0-9]+)?|[a-z][a-z0-9+.-]*:)$`)

// formTargets are the places that the form may lead to. Chromium asks that
// of redirects, too: from here to the broker and, where there is nothing to
// consent to, on to the client.
func formTargets(session *loginSession) string {
	targets := []string{"'self'", issuer}
	if client, err := url.Parse(session.RedirectURI); err == nil {
		target := client.Scheme + ":"
		if client.Scheme == "http" || client.Scheme == "https" {
			target += "//" + strings.ToLower(client.Host)
		}
		if source.MatchString(target) {
			targets = append(targets, target)
		}
	}
	return strings.Join(targets, " ")
}
