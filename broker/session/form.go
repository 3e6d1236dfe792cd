package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
)

// FormToken is what a form carries that changes something: it is bound to the
// handle of the session in which the form is shown and to the purpose of the
// form, and needs no memory.
func FormToken(handle, purpose string) string {
	mac := hmac.New(sha256.New, []byte(handle))
	mac.Write([]byte(purpose))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// OwnForm says whether a POST is such a form, with the token in the field
// token, sent from a page of our own origin by the browser of the session.
//
// The attacker is any page that the person visits. It posts here unseen, and
// signs the person out of everything, over and over (R51). So the post has to
// come from our own page, and to carry what only that page knows.
func OwnForm(w http.ResponseWriter, r *http.Request, handle, purpose string) bool {
	const maxForm = 4 << 10
	if handle == "" || new(http.CrossOriginProtection).Check(r) != nil {
		return false
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.ParseForm() != nil {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(r.PostForm.Get("token")), []byte(FormToken(handle, purpose))) == 1
}
