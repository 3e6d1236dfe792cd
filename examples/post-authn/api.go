package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// api speaks with the broker about sign-ins that wait for this application.
type api struct {
	base   string       // "https://auth.example.com/post-authn/"
	client *http.Client // adds an access token, and renews it
}

// newAPI uses the credentials of a client with the grant client_credentials
// and the scope manage_post_authn.
func newAPI(issuer, clientID, secret string) *api {
	credentials := clientcredentials.Config{
		ClientID: clientID, ClientSecret: secret,
		TokenURL:  issuer + "/oauth2/token",
		Scopes:    []string{"manage_post_authn"},
		AuthStyle: oauth2.AuthStyleInHeader,
	}
	impatient := &http.Client{Timeout: 10 * time.Second}
	client := credentials.Client(context.WithValue(context.Background(), oauth2.HTTPClient, impatient))
	client.Timeout = impatient.Timeout
	return &api{base: issuer + "/post-authn/", client: client}
}

// A visit is a sign-in, as the browser brings it: in the address at first,
// then in the form. Whoever knows both values can decide about the sign-in,
// so they stand in no log, and no page lets them out by a Referer.
type visit struct{ ID, State string }

// loginID is the form of every login_id.
var loginID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// A loginSession is what the broker tells about a sign-in. There is more; an
// application reads what it needs.
type loginSession struct {
	ClientInfo struct {
		Name string `json:"client_name"`
	} `json:"client_info"`

	// Subject is the one identifier that is stable and that no user can
	// choose. The context holds name, email and so on, where known.
	Subject string         `json:"subject"`
	Context map[string]any `json:"authentication_context"`

	// RedirectURI is where the client gets its answer.
	RedirectURI string `json:"requested_redirect_uri"`
}

// Why a sign-in cannot be decided about.
var (
	errNotWaiting = errors.New("no such sign-in is waiting")
	errAnswered   = errors.New("the sign-in has been answered")
)

// session tells about the sign-in.
func (a *api) session(ctx context.Context, v visit) (*loginSession, error) {
	var s loginSession
	err := a.call(ctx, http.MethodGet, v, "?"+url.Values{"login_state": {v.State}}.Encode(), nil, &s)
	return &s, err
}

// complete lets the sign-in go on with what the application says about the
// user, and returns where the browser has to go.
func (a *api) complete(ctx context.Context, v visit, attributes map[string]any) (string, error) {
	return a.verdict(ctx, v, "/complete", map[string]any{"authentication_context": attributes})
}

// abort ends the sign-in. The client gets the error: an OAuth code, and a
// sentence for developers.
func (a *api) abort(ctx context.Context, v visit, code, description string) (string, error) {
	return a.verdict(ctx, v, "/abort", map[string]any{"error": code, "error_description": description})
}

func (a *api) verdict(ctx context.Context, v visit, path string, body map[string]any) (string, error) {
	body["id"], body["login_state"] = v.ID, v.State
	content, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("writing the verdict: %w", err)
	}
	var answer struct {
		RedirectTo string `json:"redirect_to"`
	}
	err = a.call(ctx, http.MethodPost, v, path, content, &answer)
	return answer.RedirectTo, err
}

// call sends a request about the visit. What follows the login_id in the
// address is rest.
func (a *api) call(ctx context.Context, method string, v visit, rest string, body []byte, answer any) error {
	// Attacker: whoever opens this application by an address of their own
	// making. Move: a login_id with slashes, dots or a question mark in it.
	// Harm: our access token goes to another address of the broker.
	if !loginID.MatchString(v.ID) {
		return errNotWaiting
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+v.ID+rest, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("making the request: %w", withoutURL(err))
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.client.Do(req)
	if err != nil {
		return fmt.Errorf("calling the broker: %w", withoutURL(err))
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return errNotWaiting
	case http.StatusConflict:
		return errAnswered
	default:
		return refusal(resp)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(answer); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

// withoutURL takes off the address that net/http puts around its errors: it
// holds the login_state, and errors are logged.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// refusal is for answers that somebody has to look into: credentials that
// are wrong, an attribute that may_set does not list, a broker in trouble.
func refusal(resp *http.Response) error {
	var body struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&body)
	return fmt.Errorf("the broker answered %d %q %q", resp.StatusCode, body.Code, body.Description)
}
