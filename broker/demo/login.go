package demo

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// loginLifetime is how long a sign-in may take.
const loginLifetime = 30 * time.Minute

// bindingCookie holds a secret that ties sign-ins to the browser.
const bindingCookie = "auth_broker_demo_flow"

// options are what a person chose to ask for.
type options struct {
	scopes                                []string
	prompt, loginHint, acrValues, purpose string
}

// options reads the form of the front page. Without any parameter they are
// the defaults; what the form does not offer counts for nothing.
func (a *App) options(query url.Values) options {
	o := options{
		prompt: query.Get("prompt"), loginHint: query.Get("login_hint"),
		acrValues: query.Get("acr_values"), purpose: query.Get("purpose"),
	}
	if !slices.Contains(ui.DemoPrompts(), o.prompt) {
		o.prompt = ""
	}
	wanted := query["scope"]
	if len(query) == 0 {
		wanted = oauth.DefaultScopes
	}
	for _, s := range a.offered() {
		if s.Name == oauth.ScopeOpenID || slices.Contains(wanted, s.Name) {
			o.scopes = append(o.scopes, s.Name)
		}
	}
	return o
}

// params are the parameters of the authorization request that o adds.
func (o options) params() (params []oauth2.AuthCodeOption) {
	for name, value := range map[string]string{
		"prompt": o.prompt, "login_hint": o.loginHint, "acr_values": o.acrValues, "purpose": o.purpose,
	} {
		if value != "" {
			params = append(params, oauth2.SetAuthURLParam(name, value))
		}
	}
	return params
}

// A login is the state parameter, sealed. Nonce and verifier are computed
// from it and the browser's secret, so that any number of tabs need one small
// cookie, and an answer is of use in the browser that asked, and in no other.
type login struct {
	Started int64    `json:"t"`
	Binding string   `json:"b"` // hash of the browser's secret
	Scopes  []string `json:"s"` // asked for
}

const statePurpose = "demo_state"

// Login sends the browser to the broker to sign in. With parameters the
// request is the answer to the form of the front page, which a browser would
// hold to that page's policy along all redirects: then a page sends it on.
func (a *App) Login(w http.ResponseWriter, r *http.Request) {
	to, err := a.begin(w, r)
	switch {
	case err != nil:
		a.page(w, r, failure{reason: "store_unavailable", err: err})
	case r.URL.RawQuery == "":
		redirect(w, to)
	default:
		a.Pages.DemoForward(w, r, ui.DemoForward{URL: to})
	}
}

// begin returns the address of a fresh authorization request.
func (a *App) begin(w http.ResponseWriter, r *http.Request) (string, error) {
	ctx := a.online(r.Context())
	provider, err := a.discover(ctx)
	if err != nil {
		return "", err
	}
	binding := a.Cookies.Get(r, bindingCookie)
	if len(binding) != len(store.NewSecret()) {
		binding = store.NewSecret()
	}
	o := a.options(r.URL.Query())
	raw, err := json.Marshal(login{Started: a.Now().Unix(), Binding: hash(binding), Scopes: o.scopes})
	if err != nil {
		return "", err
	}
	state, err := a.Sealer.Seal(ctx, statePurpose, raw)
	if err != nil {
		return "", err
	}
	a.Cookies.Set(w, bindingCookie, binding, loginLifetime)
	params := append(o.params(),
		oidc.Nonce(derive(binding, "nonce", state)), oauth2.S256ChallengeOption(derive(binding, "verifier", state)))
	return a.config(provider, o.scopes).AuthCodeURL(state, params...), nil
}

// opened returns the sign-in that a state parameter stands for;
// store.ErrSealed for one that is not ours.
func (a *App) opened(ctx context.Context, state string) (*login, error) {
	raw, err := a.Sealer.Open(ctx, statePurpose, state)
	if err != nil {
		return nil, err
	}
	l := new(login)
	if json.Unmarshal(raw, l) != nil {
		return nil, store.ErrSealed
	}
	return l, nil
}

// bound says whether the sign-in began in the browser with this secret, and
// not too long ago.
func (l *login) bound(binding string, now time.Time) bool {
	return binding != "" && subtle.ConstantTimeCompare([]byte(hash(binding)), []byte(l.Binding)) == 1 &&
		now.Sub(time.Unix(l.Started, 0)) <= loginLifetime
}

// derive makes a value for one sign-in out of what only this browser holds.
func derive(binding, purpose, state string) string {
	mac := hmac.New(sha256.New, []byte(binding))
	mac.Write([]byte(purpose + " " + state))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
