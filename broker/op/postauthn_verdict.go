package op

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// A verdict is one of the two ways in which an application ends a visit.
type verdict struct {
	// event is its name in the log, members are those of its body beside
	// id and login_state.
	event   string
	members []string

	// apply changes the login. Errors are *oauth.Error and leave the visit
	// open. The fields are for the log.
	apply func(l *login, conn *Connection, body map[string]any) ([]zap.Field, error)
}

// PostAuthnComplete lets the sign-in go on, with what the application adds
// to the authentication context.
func (s *Server) PostAuthnComplete(w http.ResponseWriter, r *http.Request) {
	s.takeVerdict(w, r, verdict{"post_authn_completed", []string{"authentication_context"}, s.complete})
}

// PostAuthnAbort ends the sign-in with an error, which the client gets.
func (s *Server) PostAuthnAbort(w http.ResponseWriter, r *http.Request) {
	s.takeVerdict(w, r, verdict{"post_authn_aborted", []string{"status_code", "error", "error_description"}, s.abort})
}

// takeVerdict stores the verdict and answers with the address that takes the
// browser back to us.
func (s *Server) takeVerdict(w http.ResponseWriter, r *http.Request, v verdict) {
	app, err := s.applicationClient(w, r)
	if err != nil {
		s.refuseCaller(w, err)
		return
	}
	body, err := readVerdict(w, r, v.members)
	if err != nil {
		s.refuseCall(w, app, err)
		return
	}
	id, state := r.PathValue("login_id"), body["login_state"].(string)
	l, conn, err := s.visiting(r.Context(), app, id, state)
	if err != nil {
		s.refuseCall(w, app, err)
		return
	}
	fields, err := v.apply(l, conn, body)
	if err != nil {
		s.refuseCall(w, app, err)
		return
	}
	resume := store.NewSecret()
	l.App.Resume, l.App.Ends = store.SecretKey(visitResume, resume), s.visitEnds(conn.Application)
	if err := s.saveLogin(r.Context(), l); err != nil {
		if errors.Is(err, store.ErrConflict) {
			// Another verdict was faster, or the login's time ran out.
			if _, _, err = s.visiting(r.Context(), app, id, state); err == nil {
				err = errAnswered
			}
		}
		s.refuseCall(w, app, err)
		return
	}
	s.Log.Info(v.event, s.visitFields(l, app.ID, fields...)...)
	back := s.addWayBack(url.Values{"login_id": {l.ID}, "resume": {resume}}, l)
	writeJSON(w, http.StatusOK, map[string]string{"redirect_to": s.url(PathResume) + "?" + back.Encode()})
}

// readVerdict reads the body of a verdict. What is unknown in it is an
// error: a misspelled error_description would be lost in silence.
func readVerdict(w http.ResponseWriter, r *http.Request, members []string) (map[string]any, error) {
	body, oerr := readObject(w, r)
	if oerr != nil {
		return nil, oerr
	}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if name != "id" && name != "login_state" && !slices.Contains(members, name) {
			return nil, malformed("%s is unknown here; use id, login_state, %s", member(name), strings.Join(members, ", "))
		}
	}
	for _, name := range []string{"id", "login_state"} {
		if _, ok := body[name].(string); !ok {
			return nil, malformed("%s must be a string", name)
		}
	}
	if body["id"] != r.PathValue("login_id") {
		return nil, malformed("id is not the one in the address")
	}
	return body, nil
}

// complete merges what the application adds.
func (s *Server) complete(l *login, conn *Connection, body map[string]any) ([]zap.Field, error) {
	attributes, ok := body["authentication_context"].(map[string]any)
	if _, given := body["authentication_context"]; given && !ok {
		return nil, malformed("authentication_context must be an object")
	}
	changed, trace, err := s.Schema.ApplyApplication(l.Context, attributes, conn.Application.MaySet)
	if problem, ok := errors.AsType[*authn.ChangeError](err); ok {
		return nil, malformed("authentication_context: %s: %s", member(problem.Name), problem.Problem)
	}
	if err != nil {
		return nil, fmt.Errorf("merging the authentication context: %w", err)
	}
	l.Context = changed
	s.traced(l, trace)
	s.keepContext(l, authn.StageApplication, changed)
	return []zap.Field{zap.Strings("changed", slices.Sorted(maps.Keys(attributes)))}, nil
}

// abort notes the error, and drops the context: nobody will need it. The
// lineage stays until the browser comes back and the login ends.
func (s *Server) abort(l *login, _ *Connection, body map[string]any) ([]zap.Field, error) {
	abort, oerr := readAbort(body)
	if oerr != nil {
		return nil, oerr
	}
	l.App.Abort, l.Context = abort, nil
	return []zap.Field{zap.String("error", abort.Code)}, nil
}

// maxAbortDescription is the longest error_description, in characters.
const maxAbortDescription = 200

func readAbort(body map[string]any) (*oauth.Error, *oauth.Error) {
	abort := &oauth.Error{Code: oauth.AccessDenied}
	if v, given := body["error"]; given {
		code, ok := v.(string)
		if !ok {
			return nil, malformed("error must be a string")
		}
		if authorizationError(code) {
			abort.Code = code
		}
	}
	if v, given := body["error_description"]; given {
		text, ok := v.(string)
		if !ok || len(text) > maxAbortDescription || !descriptive(text) {
			return nil, malformed("error_description must be a string of %d printable ASCII characters at most, without quotes and backslashes", maxAbortDescription)
		}
		abort.Description = text
	}
	if v, given := body["status_code"]; given {
		number, _ := v.(json.Number)
		status, err := number.Int64()
		if err != nil || status < 400 || status > 599 {
			return nil, malformed("status_code must be a number from 400 to 599")
		}
		abort.Status = int(status)
	}
	return abort, nil
}

// descriptive says whether text may be an error_description (RFC 6749,
// 4.1.2.1).
func descriptive(text string) bool {
	for _, c := range []byte(text) {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// authorizationError says whether code is one of the authorization endpoint
// (RFC 6749, 4.1.2.1; OpenID Connect Core, 3.1.2.6; OpenID Connect Unmet
// Authentication Requirements).
func authorizationError(code string) bool {
	switch code {
	case oauth.InvalidRequest, oauth.UnauthorizedClient, oauth.AccessDenied, oauth.UnsupportedResponseType,
		oauth.InvalidScope, oauth.ServerError, oauth.TemporarilyUnavailable,
		oauth.InteractionRequired, oauth.LoginRequired, "account_selection_required", oauth.ConsentRequired,
		"invalid_request_uri", "invalid_request_object", oauth.RequestNotSupported,
		oauth.RequestURINotSupported, oauth.RegistrationUnsupported,
		oauth.UnmetAuthenticationRequirements:
		return true
	}
	return false
}
