package main

import (
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"sort"
	"strings"
)

//go:embed *.html
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "*.html"))

// orders is the application behind the gate. It knows nothing of OpenID
// Connect: it believes the headers, because only the gate can set them.
func orders() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		type header struct{ Name, Value string }
		var headers []header
		for name, values := range r.Header {
			headers = append(headers, header{name, strings.Join(values, ", ")})
		}
		sort.Slice(headers, func(i, j int) bool { return headers[i].Name < headers[j].Name })
		show(w, "orders.html", map[string]any{
			"User":        r.Header.Get("Remote-Name"),
			"Path":        r.URL.RequestURI(),
			"Headers":     headers,
			"AccessToken": decode(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")),
			"IDToken":     decode(r.Header.Get("X-Id-Token")),
		})
	})
}

// decode shows what is in a token. It verifies nothing; the README shows how
// to.
func decode(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims map[string]any
	if json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	text, _ := json.MarshalIndent(claims, "", "  ")
	return string(text)
}

func show(w http.ResponseWriter, page string, view any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	if err := pages.ExecuteTemplate(w, page, view); err != nil {
		http.Error(w, "showing the page failed", http.StatusInternalServerError)
	}
}
