package brokertest

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"go.uber.org/zap"
)

//go:embed tenant.css
var style []byte

//go:embed pages/*.html
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// A page is what all pages have. No page needs JavaScript.
type page struct {
	Title  string
	Domain string
}

func (t *Tenant) page(title string) page { return page{Title: title, Domain: t.Domain()} }

type loginPage struct {
	page
	Client, Action, Problem string
	SignUp                  bool
	Username, Password      string
	Users                   []User
}

type stepPage struct {
	page
	Client, User, Action, Target string
	Scopes                       []string
}

type errorPage struct {
	page
	Code, Description string
}

type logoutPage struct {
	page
	ClientID, ReturnTo, State string
}

type formPostPage struct {
	page
	Target string
	Params []formParam
}

type formParam struct{ Name, Value string }

// render writes a page. It sets no form-action policy: Chromium applies
// that to the redirects after a form, which lead to the application.
func render(w http.ResponseWriter, status int, name string, data any) {
	var buf bytes.Buffer
	if err := pages.ExecuteTemplate(&buf, name+".html", data); err != nil {
		panic("brokertest: rendering page " + name + ": " + err.Error())
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(buf.Bytes())
}

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(style)
}

// showError is the tenant's own error page, for requests that must not be
// answered at a callback.
func (t *Tenant) showError(w http.ResponseWriter, status int, code, description string) {
	t.log("request refused", zap.String("error", code))
	render(w, status, "error", errorPage{page: t.page("Something is wrong"), Code: code, Description: description})
}

// showFormPost hands params to the callback as a form (OAuth 2.0 Form Post
// Response Mode). Auth0 submits it by script; here a person does.
func (t *Tenant) showFormPost(w http.ResponseWriter, target string, params url.Values) {
	data := formPostPage{page: t.page("Signed in"), Target: target}
	for name, values := range params {
		for _, value := range values {
			data.Params = append(data.Params, formParam{name, value})
		}
	}
	slices.SortStableFunc(data.Params, func(a, b formParam) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	render(w, http.StatusOK, "formpost", data)
}
