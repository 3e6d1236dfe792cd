package demo

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
)

// Logout forgets what a sign-in brought, and leaves the person signed in at
// the broker.
func (a *App) Logout(w http.ResponseWriter, r *http.Request) {
	handle := a.Cookies.Get(r, visitCookie)
	if handle == "" {
		redirect(w, a.path(PathFront)) // a second click
		return
	}
	if !ours(w, r, handle, purposeLogout) {
		a.page(w, r, failure{reason: "forged_form", status: http.StatusForbidden})
		return
	}
	if err := a.Sessions.EndApp(r.Context(), ClientID, handle); err != nil {
		a.page(w, r, failure{reason: "store_unavailable", err: err})
		return
	}
	a.Cookies.Clear(w, visitCookie)
	redirect(w, a.path(PathFront)+"?"+paramLeft+"=1")
}

// What the forms of the application are for.
const (
	purposeLogout  = "logout"
	purposeRefresh = "refresh"
)

// ours says whether the form comes from our own page.
//
// The attacker is a page that the person visits, which posts here unseen. The
// post has to come from our own origin, and to carry what only our page knows.
func ours(w http.ResponseWriter, r *http.Request, handle, purpose string) bool {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	return new(http.CrossOriginProtection).Check(r) == nil && r.ParseForm() == nil &&
		subtle.ConstantTimeCompare([]byte(r.PostForm.Get("token")), []byte(formToken(handle, purpose))) == 1
}

// formToken is bound to the visit and the form, and needs no memory.
func formToken(handle, purpose string) string {
	mac := hmac.New(sha256.New, []byte(handle))
	mac.Write([]byte(purpose))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
