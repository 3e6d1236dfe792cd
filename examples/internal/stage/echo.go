package stage

import (
	"cmp"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

//go:embed echo.html
var echoHTML string

var echoPage = NewPage(echoHTML)

// Echo is an application behind the gate, which shows what it gets. It knows
// nothing of OpenID Connect: it believes the headers, because only the gate
// can set them.
func Echo(title string) http.Handler {
	type header struct{ Name, Value string }
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers := make([]header, 0, len(r.Header))
		for name, values := range r.Header {
			headers = append(headers, header{name, strings.Join(values, ", ")})
		}
		slices.SortFunc(headers, func(a, b header) int { return cmp.Compare(a.Name, b.Name) })
		idToken := claims(r.Header.Get("X-Id-Token"))
		name, _ := idToken["name"].(string)
		echoPage.Show(w, http.StatusOK, map[string]any{
			"Title":       title,
			"User":        cmp.Or(r.Header.Get("Remote-Name"), name, "somebody"),
			"Path":        r.URL.RequestURI(),
			"Headers":     headers,
			"AccessToken": indent(claims(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))),
			"IDToken":     indent(idToken),
		})
	})
}

// Decode shows what is in a token. It verifies nothing; the README shows how
// to.
func Decode(token string) string { return indent(claims(token)) }

// claims returns the claims of a token, nil if it is none.
func claims(token string) (decoded map[string]any) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &decoded) != nil {
		return nil
	}
	return decoded
}

func indent(claims map[string]any) string {
	if claims == nil {
		return ""
	}
	text, _ := json.MarshalIndent(claims, "", "  ")
	return string(text)
}
