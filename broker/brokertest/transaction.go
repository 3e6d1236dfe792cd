package brokertest

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
)

// transactionLifetime is how long a login page can lie open.
const transactionLifetime = time.Hour

// A transaction is one sign-in on its way to the callback. The steps record
// what they have achieved here; advance decides which one is next.
type transaction struct {
	id      string
	request authorizeRequest
	expires time.Time

	session   string // handle of the SSO session
	fresh     bool   // the password was typed in this transaction
	factor    bool   // and the second factor given
	confirmed bool   // the person wants to go to a loopback address
	consented bool
}

// begin starts a transaction with the session that the browser has.
func (t *Tenant) begin(r *http.Request, req authorizeRequest) transaction {
	handle, _, _ := t.session(r)
	return transaction{id: t.random(24), request: req, expires: t.now().Add(transactionLifetime), session: handle}
}

// keep stores the transaction, and drops those that nobody will end.
func (t *Tenant) keep(tx transaction) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, old := range t.transactions {
		if now.After(old.expires) {
			delete(t.transactions, id)
		}
	}
	t.transactions[tx.id] = tx
}

func (t *Tenant) forget(tx transaction) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.transactions, tx.id)
}

// step turns a page into a handler that finds its transaction.
func (t *Tenant) step(page func(http.ResponseWriter, *http.Request, transaction)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		tx, ok := t.transactions[r.URL.Query().Get("state")]
		t.mu.Unlock()
		if !ok || t.now().After(tx.expires) {
			t.showExpired(w, r, tx)
			return
		}
		page(w, r, tx)
	}
}

// showExpired sends the browser back to the application if that is still
// known and can start a login by itself.
func (t *Tenant) showExpired(w http.ResponseWriter, r *http.Request, tx transaction) {
	client, _ := t.client(tx.request.clientID)
	if client.InitiateLoginURI == "" {
		t.showError(w, http.StatusBadRequest, "invalid_request",
			"This sign-in has ended or lasted too long. Go back to the application and start again.")
		return
	}
	query := url.Values{"iss": {t.opts.Issuer}}
	http.Redirect(w, r, client.InitiateLoginURI+"?"+query.Encode(), http.StatusFound)
}

// advance is the dispatcher of a sign-in: it shows the first page that is
// still needed, or answers at the callback.
func (t *Tenant) advance(w http.ResponseWriter, r *http.Request, tx transaction) {
	s, live := t.useSession(tx.session)
	if t.needsLogin(tx, s, live) {
		t.ask(w, r, tx, "/u/login", refusal{"login_required", "Login required"})
		return
	}
	user, _ := t.User(s.user)
	org := tx.request.organization.ID
	switch {
	case user.Blocked:
		t.signOut(w, tx.session)
		t.refuse(w, r, tx, refusal{"unauthorized", "user is blocked"})
	case org != "" && !slices.Contains(user.Organizations, org):
		t.refuse(w, r, tx, refusal{"access_denied", "user is not part of the " + org + " organization"})
	case tx.needsFactor(user):
		t.ask(w, r, tx, "/u/mfa-challenge", refusal{"interaction_required", "Multifactor authentication required"})
	case user.DeniedBy != "":
		t.refuse(w, r, tx, refusal{"access_denied", user.DeniedBy})
	case t.opts.ConfirmLoopback && !tx.confirmed && isLoopback(tx.request.redirectURI):
		t.ask(w, r, tx, "/u/confirm", refusal{"interaction_required", "Confirmation required"})
	case t.needsConsent(tx, user):
		t.ask(w, r, tx, "/u/consent", refusal{"consent_required", "Consent required"})
	default:
		t.grantCode(w, r, tx, s, user)
	}
}

// ask shows a page of the tenant, or says why it could not: under
// prompt=none nothing may be shown.
func (t *Tenant) ask(w http.ResponseWriter, r *http.Request, tx transaction, page string, otherwise refusal) {
	if tx.request.prompts("none") {
		t.refuse(w, r, tx, otherwise)
		return
	}
	t.keep(tx)
	http.Redirect(w, r, page+"?state="+url.QueryEscape(tx.id), http.StatusFound)
}

func (t *Tenant) needsLogin(tx transaction, s session, live bool) bool {
	switch {
	case !live:
		return true
	case tx.fresh:
		return false
	case tx.request.prompts("login"), tx.request.prompts("select_account"):
		return true
	}
	// Not ">": max_age=0 asks again even when no time has passed.
	return tx.request.hasMaxAge && t.now().Sub(s.authTime) >= tx.request.maxAge
}

// needsFactor: users who have a second factor give it when they sign in,
// and again whenever the application asks. The others cannot, and then the
// application gets a token without amr.
func (tx transaction) needsFactor(user User) bool {
	asked := slices.Contains(tx.request.acrValues, MultiFactor)
	return user.SecondFactor && !tx.factor && (tx.fresh || asked)
}

func (t *Tenant) needsConsent(tx transaction, user User) bool {
	if tx.consented {
		return false
	}
	if tx.request.prompts("consent") {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.opts.AskConsent && !t.consents[tx.consentKey(user)]
}

// consentKey names what a person consents to: this application, these
// scopes, this API.
func (tx transaction) consentKey(user User) string {
	scopes := slices.Sorted(slices.Values(tx.request.scopes))
	return strings.Join([]string{user.Name, tx.request.clientID, tx.request.audience, strings.Join(scopes, " ")}, "\x00")
}

func isLoopback(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && isLoopbackHost(u.Hostname())
}

func isLoopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || (ip != nil && ip.IsLoopback())
}

// refuse ends the transaction with an error at the callback.
func (t *Tenant) refuse(w http.ResponseWriter, r *http.Request, tx transaction, why refusal) {
	t.log("sign-in refused", zap.String("client", tx.request.clientID), zap.String("error", why.code))
	t.answer(w, r, tx, url.Values{"error": {why.code}, "error_description": {why.description}})
}
