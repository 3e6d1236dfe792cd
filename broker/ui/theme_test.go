package ui

import (
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
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

// Every id that the built-in page shows to the world is guarded, not only

// those that somebody thought of.

// The policy of the pages would block these, and the operator would wonder.

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
