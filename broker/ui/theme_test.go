package ui

import (
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// directory writes files into a new directory.
func directory(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// themed returns the pages of a theme with these files, or why there is none.
func themed(t *testing.T, files map[string]string) (*Pages, error) {
	t.Helper()
	theme, err := NewTheme(Look{Templates: directory(t, files)})
	if err != nil {
		return nil, err
	}
	p, err := New(Options{Title: "Example Corp", StylePath: "/oauth2/assets/style.css", Theme: theme})
	if err != nil {
		t.Fatal(err)
	}
	return p, nil
}

// changed is a built-in template with one piece of text replaced.
func changed(t *testing.T, name, old, replacement string) map[string]string {
	t.Helper()
	text := builtin()[name]
	if strings.Count(text, old) != 1 {
		t.Fatalf("%s has %d times %q, want it once", name, strings.Count(text, old), old)
	}
	return map[string]string{name: strings.Replace(text, old, replacement, 1)}
}

// refused asserts that a theme with these files is not made, and that the
// error names all of want.
func refused(t *testing.T, files map[string]string, want ...string) {
	t.Helper()
	_, err := themed(t, files)
	if err == nil {
		t.Fatalf("accepted; want an error with %q", want)
	}
	for _, w := range append(want, "templates /") {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v\nlacks %q", err, w)
		}
	}
}

// A page without a sample would be tried out on nothing.
func TestEveryTemplateHasSamples(t *testing.T) {
	sampled := map[string]bool{"layout.html": true, "parts.html": true}
	for _, s := range samples() {
		sampled[s.page+".html"] = true
	}
	for name := range builtin() {
		if !sampled[name] {
			t.Errorf("no sample draws %s; add one to samples", name)
		}
	}
}

func TestThemeWithoutSettingsChangesNothing(t *testing.T) {
	theme, err := NewTheme(Look{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Options{Title: "Example Corp", StylePath: "/oauth2/assets/style.css", Theme: theme})
	if err != nil {
		t.Fatal(err)
	}
	plain := allPages(newPages(t))
	for name, page := range allPages(p) {
		if got, want := serve("GET", page).Body.String(), serve("GET", plain[name]).Body.String(); got != want {
			t.Errorf("%s differs", name)
		}
	}
}

// What an operator starts with is a copy of ours.
func TestCopiesOfTheBuiltInTemplatesAreAccepted(t *testing.T) {
	for name, text := range builtin() {
		if _, err := themed(t, map[string]string{name: text}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := themed(t, builtin()); err != nil {
		t.Errorf("all of them: %v", err)
	}
	if _, err := themed(t, nil); err != nil {
		t.Errorf("none: %v", err)
	}
}

func TestTemplateReplacesTheBuiltInOne(t *testing.T) {
	p, err := themed(t, map[string]string{
		"layout.html": strings.Replace(builtin()["layout.html"], "</main>", "</main>\n<footer><p>Example Corp, Dublin</p></footer>", 1),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range allPages(p) {
		if body := serve("GET", page).Body.String(); !strings.Contains(body, "<footer><p>Example Corp, Dublin</p></footer>") {
			t.Errorf("%s lacks the footer", name)
		}
	}
}

func TestTemplatesCarryTheContractOfTheirPage(t *testing.T) {
	for name, c := range map[string]struct {
		file, old, replacement string
		want                   []string
	}{
		"an id is missing":               {"consent.html", ` id="consent-allow"`, ``, []string{"consent.html: the page lacks", "consent-allow"}},
		"an id moved to what is nothing": {"consent.html", `<button class="button primary" id="consent-allow" name="decision" value="allow">{{$t.Allow}}</button>`, `<p id="consent-allow">{{$t.Allow}}</p>`, []string{"consent.html: ", "consent-allow"}},
		"the form is missing":            {"consent.html", ` id="consent-form"`, ``, []string{"consent-form"}},
		"the form leads elsewhere":       {"consent.html", `action="{{.Action}}"`, `action="/elsewhere"`, []string{"consent-form", `action="/elsewhere"`}},
		"the form is sent by GET":        {"consent.html", `method="post"`, `method="get"`, []string{"consent-form", `method="get"`}},
		"the hidden fields are missing":  {"consent.html", `{{template "hidden" .Hidden}}`, ``, []string{"what the form consent-form posts"}},
		"a box is not ticked":            {"consent.html", ` checked{{if`, `{{if`, []string{`name="claim" value="birthdate" checked>, and is`}},
		"a box is hidden":                {"consent.html", `type="checkbox"`, `type="hidden"`, []string{`and is <input type="hidden" name="claim"`}},
		"a hidden twin of a box":         {"consent.html", `<ul class="lines">`, `<input type="hidden" name="scope" value="profile"><ul class="lines">`, []string{"what the form consent-form posts"}},
		"a twin outside of the form":     {"layout.html", `</main>`, `<input type="hidden" form="consent-form" name="scope" value="profile"></main>`, []string{"layout.html: ", "what the form consent-form posts"}},
		"both buttons allow":             {"consent.html", `value="deny"`, `value="allow"`, []string{"consent-deny"}},
		"the host returned to":           {"consent.html", `<bdi id="consent-host">{{.}}</bdi>`, `<bdi id="consent-host">grafana</bdi>`, []string{"consent-host", "login.grafana.example.com"}},
		"a connection leads elsewhere":   {"chooser.html", `href="{{.URL}}"`, `href="/other"`, []string{"connection-acme", "/other"}},
		"the code is another":            {"error.html", `<code id="error-code">{{.Code}}</code>`, `<code id="error-code">x</code>`, []string{"error-code", "access_denied"}},
		"the trace is missing":           {"error.html", ` id="error-trace"`, ``, []string{"error-trace"}},
		"the frame draws no page":        {"layout.html", `{{template "content" .}}`, ``, []string{"layout.html: the page lacks"}},
		"hidden fields draw nothing":     {"parts.html", `<input type="hidden" name="{{$name}}" value="{{$value}}">`, ``, []string{"parts.html: ", "what the form"}},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, changed(t, c.file, c.old, c.replacement), c.want...)
		})
	}
}

// Every id that the built-in page shows to the world is guarded, not only
// those that somebody thought of.
func TestEveryIdIsGuarded(t *testing.T) {
	ours := newPages(t)
	count := 0
	for _, s := range samples() {
		doc := parse(t, s.in("en", ours).body.String())
		for what := range promises(doc) {
			id, ok := strings.CutPrefix(what, "the element with the id ")
			if !ok {
				continue
			}
			stripped := parse(t, strings.Replace(s.in("en", ours).body.String(), ` id="`+id+`"`, "", 1))
			if err := keeps(doc, stripped); err == nil || !strings.Contains(err.Error(), id) {
				t.Errorf("%s without %s: %v", s.page, id, err)
			}
			count++
		}
	}
	if count < 30 {
		t.Errorf("only %d ids", count)
	}
	for _, id := range []string{
		"login-form", "connection-acme", "email-form", "email-continue", "chooser-remember", "chooser-all",
		"consent-form", "scope-openid", "scope-profile", "claim-birthdate", "consent-allow", "consent-deny",
		"error-code", "error-trace", "error-retry", "logout-form", "logout-confirm", "logout-done", "logout-continue",
	} {
		if !slices.ContainsFunc(samples(), func(s sample) bool {
			_, ok := promises(parse(t, s.in("en", ours).body.String()))["the element with the id "+id]
			return ok
		}) {
			t.Errorf("no sample has %s", id)
		}
	}
}

// The policy of the pages would block these, and the operator would wonder.
func TestTemplatesHoldNothingThatThePolicyBlocks(t *testing.T) {
	for what, markup := range map[string]string{
		"<script>":               `<script>alert(1)</script>`,
		"<style>":                `<style>p { color: red }</style>`,
		"<iframe>":               `<iframe title="x"></iframe>`,
		"<object>":               `<object></object>`,
		"<embed>":                `<embed>`,
		"<base>":                 `<base href="/">`,
		"<link>":                 `<link rel="stylesheet" href="https://cdn.example/x.css">`,
		"the attribute style":    `<p style="color: red">x</p>`,
		"the attribute onclick":  `<p onclick="x()">x</p>`,
		"the attribute onerror":  `<img src="/x.png" alt="" ONERROR='x()'>`,
		"the attribute src":      `<img src="https://cdn.example/x.png" alt="">`,
		"the attribute href":     `<a href="javascript:x()">x</a>`,
		"the attribute onscroll": `{{if eq $.T.Lang "de"}}<p onscroll="x()">x</p>{{end}}`,
	} {
		t.Run(what, func(t *testing.T) {
			refused(t, changed(t, "consent.html", "<h1>", "\n"+markup+"<h1>"), "consent.html:9: "+what, "Content-Security-Policy")
			refused(t, changed(t, "layout.html", "</main>", markup+"</main>"), "layout.html:15: "+what)
		})
	}
}

func TestTemplatesThatDoNotFitTheirView(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"does not parse":             {map[string]string{"error.html": "{{define \"content\"}}\n{{if}}{{end}}{{end}}"}, "error.html:2: missing value for if"},
		"asks for an unknown field":  {changed(t, "error.html", "{{.Why}}", "{{.Reason2}}"), "error.html:4:"},
		"only where a field is bare": {changed(t, "error.html", "{{.Why}}", "{{if not .Trace}}{{.Reason2}}{{end}}"), "error.html:4:"},
		"defines nothing":            {map[string]string{"error.html": "<h1>Sorry</h1>"}, `error.html: lacks the template content`},
		"parts without the logo":     {map[string]string{"parts.html": `{{define "hidden"}}{{end}}`}, `parts.html: lacks the template logo`},
		"uses an unknown template":   {changed(t, "error.html", "{{.Why}}", `{{template "why"}}`), "error.html:4:"},
		"is no HTML":                 {changed(t, "error.html", "{{.Why}}", `<p title={{.Why}}`), "error.html: layout: "},
		"unknown":                    {map[string]string{"errors.html": ""}, "errors.html is unknown; there are: chooser.html, consent.html, "},
		"is no text":                 {map[string]string{"error.html": "\xff"}, "error.html: is not UTF-8"},
		"is too large":               {map[string]string{"error.html": strings.Repeat("x", maxFile+1)}, "error.html: is larger than 256 KiB"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.files, c.want) })
	}
}

func TestTemplatesDirectory(t *testing.T) {
	t.Run("is missing", func(t *testing.T) {
		_, err := NewTheme(Look{Templates: filepath.Join(t.TempDir(), "none")})
		if err == nil || !strings.Contains(err.Error(), "no such file or directory; name a directory that Caddy can read") {
			t.Error(err)
		}
	})
	t.Run("holds a directory", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "error.html"), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := NewTheme(Look{Templates: dir}); err == nil || !strings.Contains(err.Error(), "error.html: is no regular file") {
			t.Error(err)
		}
	})
	// Opening it would wait for a writer, and Caddy would never start.
	t.Run("holds a pipe", func(t *testing.T) {
		dir := t.TempDir()
		if err := syscall.Mkfifo(filepath.Join(dir, "error.html"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := NewTheme(Look{Templates: dir}); err == nil || !strings.Contains(err.Error(), "error.html: is no regular file") {
			t.Error(err)
		}
	})
	t.Run("of links into a hidden directory, as in a mounted volume", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "..data"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "..data", "style.css"), []byte("p { color: red }"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join("..data", "style.css"), filepath.Join(dir, "style.css")); err != nil {
			t.Fatal(err)
		}
		theme, err := NewTheme(Look{Templates: dir})
		if err != nil || !strings.HasSuffix(string(theme.style.data), "\np { color: red }") {
			t.Error(err)
		}
	})
}

// A branch that no sample takes can still fail on a visitor.
func TestFailureOfATemplateIsTold(t *testing.T) {
	theme, err := NewTheme(Look{Templates: directory(t, changed(t, "error.html", "{{.Why}}", `{{if eq .Trace "one-of-a-kind"}}{{.None}}{{end}}`))})
	if err != nil {
		t.Fatal(err)
	}
	var told []error
	p, err := New(Options{StylePath: "/style.css", Theme: theme, Failed: func(err error) { told = append(told, err) }})
	if err != nil {
		t.Fatal(err)
	}
	w := serve("GET", func(w http.ResponseWriter, r *http.Request) { p.Error(w, r, Error{Trace: "one-of-a-kind"}) })
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "one-of-a-kind") {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
	if err := errors.Join(told...); len(told) != 1 || !strings.HasPrefix(err.Error(), "error.html:4:") {
		t.Errorf("told %v", told)
	}
}

func TestOwnStyle(t *testing.T) {
	t.Run("comes last, after the accent", func(t *testing.T) {
		theme, err := NewTheme(Look{Accent: "#0a7cff", Templates: directory(t, map[string]string{"style.css": ".card { border-radius: 0; }\n"})})
		if err != nil {
			t.Fatal(err)
		}
		css := string(theme.style.data)
		if !strings.HasPrefix(css, string(styleCSS())) || !strings.HasSuffix(css, "}\n\n.card { border-radius: 0; }\n") {
			t.Errorf("style sheet ends in %q", css[len(styleCSS()):])
		}
		if theme.style.version == builtinTheme().style.version {
			t.Error("the address stays the same, so browsers keep the old one")
		}
	})
	for what, css := range map[string]string{
		"style.css:1: @import":         `@import "house.css";`,
		"style.css:3: @font-face":      "p {\n}\n@FONT-FACE { src: local(x) }",
		"style.css:2: url(https:":      "/* a\n */ p { background: url(https://cdn.example/x.png) }",
		`style.css:1: url( "//`:        `p { background: url( "//cdn.example/x.png") }`,
		"style.css:1: url('data:":      `p { background: url('data:image/png;base64,AA==') }`,
		"style.css: is larger than 25": strings.Repeat(" ", maxFile+1),
	} {
		t.Run(what, func(t *testing.T) {
			_, err := themed(t, map[string]string{"style.css": css})
			if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(what)) {
				t.Errorf("%v, want %q", err, what)
			}
		})
	}
	t.Run("may show pictures of its origin and speak of others", func(t *testing.T) {
		if _, err := themed(t, map[string]string{"style.css": "/* not by @import, nor url(https://cdn.example) */\nbody { background: url(/paper.png) }\n/* open"}); err != nil {
			t.Error(err)
		}
	})
}

// Nothing that two themes have is shared.
func TestThemesAreIndependent(t *testing.T) {
	before := maps.Clone(builtin())
	if _, err := themed(t, map[string]string{"style.css": "p { }", "signed_out.html": builtin()["signed_out.html"] + " "}); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(before, builtin()) || !strings.HasPrefix(string(builtinTheme().style.data), "/*") {
		t.Error("a theme has changed the built-in one")
	}
}
