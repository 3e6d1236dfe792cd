package brokertest

import (
	"net/http"
	"net/url"
	"time"
)

// pushedLifetime is so short that a request must be pushed just before the
// redirect.
const pushedLifetime = 30 * time.Second

// A pushedRequest waits for the browser (RFC 9126).
type pushedRequest struct {
	params  url.Values
	expires time.Time
}

// servePushed takes an authorization request of at most 10 KB from an
// application that authenticates as at the token endpoint.
func (t *Tenant) servePushed(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 10<<10)
	client, ok := t.authenticateClient(w, r)
	if !ok {
		return
	}
	params := make(url.Values)
	for name, values := range r.PostForm {
		switch name {
		case "client_secret", "client_assertion", "client_assertion_type":
		default:
			params[name] = values
		}
	}
	params.Set("client_id", client.ID)
	if params.Has("request_uri") {
		tokenError(w, http.StatusBadRequest, "invalid_request", "request_uri must not be pushed")
		return
	}
	if _, page := t.knownCallback(params); page != nil {
		tokenError(w, http.StatusBadRequest, "invalid_request", page.description)
		return
	}
	uri := "urn:ietf:params:oauth:request_uri:" + t.random(24)
	t.mu.Lock()
	t.pushed[uri] = pushedRequest{params: params, expires: t.now().Add(pushedLifetime)}
	t.mu.Unlock()
	writeJSON(w, http.StatusCreated, map[string]any{
		"request_uri": uri, "expires_in": int(pushedLifetime / time.Second),
	})
}

// takePushed returns a pushed request, once, to the client that pushed it.
func (t *Tenant) takePushed(uri, clientID string) (url.Values, bool) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	pushed, ok := t.pushed[uri]
	delete(t.pushed, uri)
	if !ok || now.After(pushed.expires) || pushed.params.Get("client_id") != clientID {
		return nil, false
	}
	return pushed.params, true
}
