package op

import (
	"crypto/subtle"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/ui"
)

// askConsent stores the login and sends the browser to the page.
func (s *Server) askConsent(w http.ResponseWriter, r *http.Request, l *login) {
	s.advance(w, r, l, s.reached(l))
}

// Consent shows the page, and takes its form.
func (s *Server) Consent(w http.ResponseWriter, r *http.Request) {
	params := r.URL.Query()
	if r.Method == http.MethodPost {
		if err := new(http.CrossOriginProtection).Check(r); err != nil {
			s.page(w, r, failure{reason: "forged_form", status: http.StatusForbidden, err: err})
			return
		}
		form, oerr := readForm(w, r)
		if oerr != nil {
			s.page(w, r, failure{reason: "forged_form", code: oerr.Code, status: http.StatusForbidden})
			return
		}
		if ambiguous(form) {
			s.page(w, r, failure{reason: oauth.InvalidRequest, way: wayBackOf(form)})
			return
		}
		params = form
	}
	p, err := s.readPending(r)
	way := wayBackOf(params)
	if err != nil {
		s.page(w, r, failure{reason: "store_unavailable", way: way, err: err})
		return
	}
	l, err := s.loadLogin(r.Context(), params.Get("login_id"), p.Binding)
	if errors.Is(err, errNoLogin) || err == nil && !l.Finished {
		s.page(w, r, failure{reason: "stale_sign_in", status: http.StatusBadRequest, way: way})
		return
	}
	if err != nil {
		s.page(w, r, failure{reason: "store_unavailable", way: way, err: err})
		return
	}
	client := s.Client(l.Request.ClientID)
	if client == nil {
		s.page(w, r, failure{reason: oauth.InvalidClient, login: l})
		return
	}
	if !s.decidable(w, r, l) {
		return
	}
	if r.Method == http.MethodPost {
		s.decide(w, r, l, client, p.Binding, params)
		return
	}
	if l.Decided {
		// The back button: the answer was given and stays what it was.
		redirect(w, r, l.Outcome)
		return
	}
	s.consentPage(w, r, l, client, p.Binding)
}

// ambiguous says whether the form has two readings: two decisions, say, of
// which another program, in front of us or an extension of the browser, has
// shown the user the second and we would take the first. What is missing is
// refused where it is needed, but for the decision: to give none is none.
func ambiguous(form url.Values) bool {
	return len(form["decision"]) != 1 || len(form["login_id"]) > 1 || len(form["login_state"]) > 1
}

// decidable says whether the login is decided, or can still be: its session
// lives. On false it has answered the request.
//
// The attacker comes to a browser whose owner has signed out, and goes back to
// the page. It would show him whose it was, and remember his answer as the
// owner's.
func (s *Server) decidable(w http.ResponseWriter, r *http.Request, l *login) bool {
	if l.Decided {
		return true
	}
	alive, err := s.Sessions.Alive(r.Context(), l.SID)
	switch {
	case err != nil:
		s.page(w, r, failure{reason: "store_unavailable", login: l, err: err})
	case !alive:
		s.page(w, r, failure{reason: "session_ended", status: http.StatusBadRequest, login: l})
	}
	return err == nil && alive
}

func (s *Server) question(r *http.Request, l *login, client *oauth.Client) (consent.Question, error) {
	l.asked = s.Now().UTC()
	asked := consent.Items{Scopes: l.Request.Scopes, Claims: s.askedClaims(l, client)}
	return s.Ledger.Ask(r.Context(), l.Context.Subject, client, asked, l.Request.HasPrompt("consent"))
}

func (s *Server) consentPage(w http.ResponseWriter, r *http.Request, l *login, client *oauth.Client, binding string) {
	question, err := s.question(r, l, client)
	if err != nil {
		s.page(w, r, failure{reason: "store_unavailable", login: l, err: err})
		return
	}
	fixed := fixedScopes(l, client)
	hidden := map[string]string{"login_id": l.ID, "login_state": loginState(l, binding)}
	maps.Copy(hidden, s.wayBackFields(l))
	view := ui.Consent{
		Action:         s.path(PathConsent),
		Hidden:         hidden,
		RedirectOrigin: ui.FormTarget(l.Request.RedirectURI),
		Account:        account(l),
		Client:         s.clientView(client, l.Request.RedirectURI),
		Purpose:        l.Request.Purpose,
		Lifetime:       s.Ledger.Lifetime,
		PortalURL:      s.PortalURL,
		Locales:        l.Request.UILocales,
	}
	for _, name := range l.Request.Scopes {
		scope := s.scope(name)
		view.Scopes = append(view.Scopes, ui.Scope{
			Name:        name,
			DisplayName: scope.DisplayName,
			Description: scope.Description,
			Service:     scope.Service,
			Fixed:       slices.Contains(fixed, name),
			Granted:     slices.Contains(question.Granted.Scopes, name),
		})
	}
	view.Claims = s.claimLines(l, client, question)
	s.Pages.Consent(w, r, view)
}

// scope returns the declaration of a scope; one that only a client names
// counts as declared, under its name.
func (s *Server) scope(name string) claims.Scope {
	if i := s.scopeIndex(name); i < len(s.Scopes) {
		return s.Scopes[i]
	}
	return claims.Scope{Name: name}
}

// scopeIndex is the place of a scope among those of the broker, behind them
// all if it is none of these.
func (s *Server) scopeIndex(name string) int {
	i := slices.IndexFunc(s.Scopes, func(sc claims.Scope) bool { return sc.Name == name })
	if i < 0 {
		return len(s.Scopes)
	}
	return i
}

// account is how the page says who is signed in.
func account(l *login) string {
	for _, name := range []string{"email", "preferred_username", "name", "nickname"} {
		v, _ := l.Context.Attributes[name].(string)
		if v = strings.TrimSpace(v); v != "" {
			return v
		}
	}
	return l.Context.IDPSubject
}

// decide takes the form. Only what was shown and ticked is granted; what a
// tampered form names beside that is ignored.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, l *login, client *oauth.Client, binding string, form url.Values) {
	if subtle.ConstantTimeCompare([]byte(form.Get("login_state")), []byte(loginState(l, binding))) != 1 {
		s.page(w, r, failure{reason: "forged_form", status: http.StatusForbidden, login: l})
		return
	}
	if l.Decided {
		redirect(w, r, l.Outcome)
		return
	}
	question, err := s.question(r, l, client)
	if err != nil {
		s.page(w, r, failure{reason: "store_unavailable", login: l, err: err})
		return
	}
	l.Decided = true
	switch form.Get("decision") {
	case "allow":
		l.Granted = granted(l, client, question, form["scope"])
		l.Claims = grantedClaims(s.askedClaims(l, client), question.Granted.Claims, form["claim"])
	case "deny":
	default:
		s.page(w, r, failure{reason: oauth.InvalidRequest, login: l})
		return
	}
	s.record(w, r, l, client, form.Get("decision") == "allow")
}

// granted are the scopes of the answer, in the order of the request: the
// ones that cannot be withheld, those given earlier, and those ticked.
func granted(l *login, client *oauth.Client, q consent.Question, ticked []string) (names []string) {
	fixed := fixedScopes(l, client)
	for _, name := range l.Request.Scopes {
		if slices.Contains(fixed, name) || slices.Contains(q.Granted.Scopes, name) || slices.Contains(ticked, name) {
			names = append(names, name)
		}
	}
	return names
}

// record settles the answer before anything follows from it. Of two forms
// that arrive at once, a double click say, the one that loses the race goes
// where the winner's answer led.
func (s *Server) record(w http.ResponseWriter, r *http.Request, l *login, client *oauth.Client, allowed bool) {
	ctx := r.Context()
	var code string
	if allowed {
		code = store.NewSecret()
		l.Outcome = s.codeRedirect(l, code)
		// The code comes before the outcome that names it: whoever reads the
		// outcome can redeem it at once. One that nobody gets to know ends by
		// itself within a minute.
		if err := s.saveGrant(ctx, l, code, client); err != nil {
			s.page(w, r, failure{reason: "store_unavailable", login: l, err: err})
			return
		}
	} else {
		l.Outcome = s.errorRedirect(l, &oauth.Error{Code: oauth.AccessDenied, Description: "the user did not consent"})
	}
	err := s.saveLogin(ctx, l)
	if errors.Is(err, store.ErrConflict) {
		if other, err := s.loadLogin(ctx, l.ID, s.binding(r)); err == nil && other.Decided {
			redirect(w, r, other.Outcome)
			return
		}
	}
	if err != nil {
		s.page(w, r, failure{reason: "store_unavailable", login: l, err: err})
		return
	}
	s.logAnswer(l, allowed)
	if !allowed {
		s.keepTrace(ctx, l, oauth.AccessDenied, "consent_denied")
		redirect(w, r, l.Outcome)
		return
	}
	s.keepTrace(ctx, l, OutcomeCode, "")
	answer := consent.Answer{
		Items:      consent.Items{Scopes: l.Granted, Claims: l.Claims},
		Connection: l.Connection, Language: s.Pages.Language(r, l.Request.UILocales),
	}
	if err := s.Ledger.Record(ctx, l.Context.Subject, client, answer); err != nil {
		s.page(w, r, failure{reason: "store_unavailable", login: l, err: err})
		return
	}
	redirect(w, r, l.Outcome)
}

// logAnswer writes the audit events of an answer, with names only: an event
// for the scopes and, if there are any, one for single claims.
func (s *Server) logAnswer(l *login, allowed bool) {
	log := s.Log.With(zap.String("trace", l.Trace), zap.String("client", l.Request.ClientID),
		zap.String("connection", l.Connection), zap.String("subject", l.Context.Subject))
	if !allowed {
		log.Info("consent_denied")
		return
	}
	log.Info("scopes_granted", zap.Strings("scopes", l.Granted))
	if !l.Claims.IsZero() {
		log.Info("claims_granted", zap.Strings("id_token", l.Claims.IDToken), zap.Strings("userinfo", l.Claims.Userinfo))
	}
}

func (s *Server) binding(r *http.Request) string {
	p, err := s.readPending(r)
	if err != nil {
		return ""
	}
	return p.Binding
}
