package brokertest

import (
	"crypto/subtle"
	"net/http"
	"slices"
)

func (t *Tenant) showLogin(w http.ResponseWriter, _ *http.Request, tx transaction) {
	t.renderLogin(w, tx, http.StatusOK, "")
}

// renderLogin shows the login page, filled in with the hinted user or else
// the first one: whoever tries the demo should need one click.
func (t *Tenant) renderLogin(w http.ResponseWriter, tx transaction, status int, problem string) {
	t.mu.Lock()
	users := slices.Clone(t.users)
	t.mu.Unlock()
	client, _ := t.client(tx.request.clientID)
	page := loginPage{
		page:     t.page("Sign in"),
		Client:   client.title(),
		Action:   "/u/login?state=" + tx.id,
		Problem:  problem,
		SignUp:   tx.request.signUp,
		Users:    users,
		Username: tx.request.loginHint,
	}
	if page.Username == "" && len(users) > 0 {
		page.Username = users[0].Username
	}
	if i := slices.IndexFunc(users, func(u User) bool { return u.Username == page.Username }); i >= 0 {
		page.Password = users[i].Password
	}
	render(w, status, "login", page)
}

// submitLogin takes a user name with its password, or the name of one of
// the buttons, or that the person gives up.
func (t *Tenant) submitLogin(w http.ResponseWriter, r *http.Request, tx transaction) {
	if r.PostFormValue("cancel") != "" {
		t.refuse(w, r, tx, refusal{"access_denied", "User cancelled the sign-in"})
		return
	}
	user, ok := t.authenticate(r)
	if !ok {
		t.renderLogin(w, tx, http.StatusBadRequest, "Wrong email or password.")
		return
	}
	tx.session = t.signIn(w, r, user.Name)
	tx.fresh, tx.factor = true, false
	t.advance(w, r, tx)
}

func (t *Tenant) authenticate(r *http.Request) (User, bool) {
	if name := r.PostFormValue("user"); name != "" {
		return t.User(name)
	}
	username, password := r.PostFormValue("username"), r.PostFormValue("password")
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, u := range t.users {
		if u.Username == username && u.Password != "" &&
			subtle.ConstantTimeCompare([]byte(u.Password), []byte(password)) == 1 {
			return u, true
		}
	}
	return User{}, false
}

func (t *Tenant) showFactor(w http.ResponseWriter, _ *http.Request, tx transaction) {
	render(w, http.StatusOK, "factor", stepPage{page: t.page("Second factor"), Action: "/u/mfa-challenge?state=" + tx.id})
}

// submitFactor accepts any one-time code: what matters to an application
// is that it was asked for.
func (t *Tenant) submitFactor(w http.ResponseWriter, r *http.Request, tx transaction) {
	tx.factor = true
	t.advance(w, r, tx)
}

func (t *Tenant) showConfirm(w http.ResponseWriter, _ *http.Request, tx transaction) {
	client, _ := t.client(tx.request.clientID)
	render(w, http.StatusOK, "confirm", stepPage{
		page: t.page("Continue to this device"), Action: "/u/confirm?state=" + tx.id,
		Client: client.title(), Target: tx.request.redirectURI,
	})
}

func (t *Tenant) submitConfirm(w http.ResponseWriter, r *http.Request, tx transaction) {
	tx.confirmed = true
	t.advance(w, r, tx)
}

func (t *Tenant) showConsent(w http.ResponseWriter, _ *http.Request, tx transaction) {
	client, _ := t.client(tx.request.clientID)
	s, _ := t.useSession(tx.session)
	user, _ := t.User(s.user)
	render(w, http.StatusOK, "consent", stepPage{
		page: t.page("Authorize application"), Action: "/u/consent?state=" + tx.id,
		Client: client.title(), User: user.displayName(), Scopes: tx.request.scopes, Target: tx.request.audience,
	})
}

func (t *Tenant) submitConsent(w http.ResponseWriter, r *http.Request, tx transaction) {
	s, _ := t.useSession(tx.session)
	user, ok := t.User(s.user)
	if !ok || r.PostFormValue("action") != "allow" {
		t.refuse(w, r, tx, refusal{"access_denied", "User did not authorize the request"})
		return
	}
	t.mu.Lock()
	t.consents[tx.consentKey(user)] = true
	t.mu.Unlock()
	tx.consented = true
	t.advance(w, r, tx)
}
