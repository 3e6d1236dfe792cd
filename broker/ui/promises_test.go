package ui

import (
	"slices"
	"strings"
	"testing"
)

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
