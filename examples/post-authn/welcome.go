package main

import (
	"net/http"
	"slices"
)

// welcome asks users for their organization. It keeps nothing: the sign-in
// stays at the broker, and the page carries what identifies it. So two tabs,
// two servers and a restart in between do no harm.
type welcome struct{ api *api }

// newWelcome returns the application as a handler. No other site can have a
// browser send the form: Go looks at Sec-Fetch-Site and Origin.
func newWelcome(a *api) http.Handler {
	w := &welcome{a}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /start", w.start)
	mux.HandleFunc("POST /choose", w.choose)
	mux.HandleFunc("POST /cancel", w.cancel)
	mux.Handle("GET /style.css", http.FileServerFS(files))
	return http.NewCrossOriginProtection().Handler(mux)
}

type organization struct{ ID, Name string }

// organizationsOf returns those that the user belongs to. A real application
// looks them up by session.Subject.
func organizationsOf(*loginSession) []organization {
	return []organization{{"engines", "Example Engines"}, {"foundation", "Example Foundation"}, {"university", "University of Example"}}
}

// start is where the broker sends the browser.
func (a *welcome) start(w http.ResponseWriter, r *http.Request) {
	v := visit{r.FormValue("login_id"), r.FormValue("login_state")}
	session, err := a.api.session(r.Context(), v)
	if err != nil {
		showProblem(w, err)
		return
	}
	ask(w, http.StatusOK, v, session, "")
}

// choose takes the form's answer.
func (a *welcome) choose(w http.ResponseWriter, r *http.Request) {
	v, chosen := posted(w, r), r.PostFormValue("organization")
	session, err := a.api.session(r.Context(), v)
	if err != nil {
		showProblem(w, err)
		return
	}
	// A form can be filled with anything. Only what this user could have
	// chosen may go into a token.
	if !slices.ContainsFunc(organizationsOf(session), func(o organization) bool { return o.ID == chosen }) {
		ask(w, http.StatusUnprocessableEntity, v, session, "Please choose one of these.")
		return
	}
	to, err := a.api.complete(r.Context(), v, map[string]any{"organization": chosen})
	leave(w, to, err)
}

// cancel ends the sign-in.
func (a *welcome) cancel(w http.ResponseWriter, r *http.Request) {
	to, err := a.api.abort(r.Context(), posted(w, r), "access_denied", "The user has chosen no organization")
	leave(w, to, err)
}

// posted reads which sign-in a form is about. One that cannot be read names
// none.
func posted(w http.ResponseWriter, r *http.Request) visit {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	return visit{r.PostFormValue("login_id"), r.PostFormValue("login_state")}
}

// leave sends the browser back to the broker.
func leave(w http.ResponseWriter, to string, err error) {
	if err != nil {
		showProblem(w, err)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}
