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
//
// The attacker is a page that the person visits, which posts here unseen. The
// post has to come from our own page and to carry what only that knows.
func (a *App) Logout(w http.ResponseWriter, r *http.Request) {
	handle := a.Cookies.Get(r, visitCookie)
	if handle == "" {
		redirect(w, a.path(PathFront)) // a second click
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if new(http.CrossOriginProtection).Check(r) != nil || r.ParseForm() != nil ||
		subtle.ConstantTimeCompare([]byte(r.PostForm.Get("token")), []byte(formToken(handle))) != 1 {
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

// formToken is bound to the visit and needs no memory.
func formToken(handle string) string {
	mac := hmac.New(sha256.New, []byte(handle))
	mac.Write([]byte("logout"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
