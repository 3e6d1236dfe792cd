package ui

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

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
