package ui

import (
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// ownStyle is the one file of an operator's directory that replaces none of
// ours: its rules come after those that all pages have.
const ownStyle = "style.css"

// builtin returns the text of each embedded template by the name of its file.
func builtin() map[string]string {
	files, err := templates.ReadDir("templates")
	if err != nil {
		panic(err) // the directory is embedded
	}
	texts := make(map[string]string, len(files))
	for _, f := range files {
		text, err := templates.ReadFile(path.Join("templates", f.Name()))
		if err != nil {
			panic(err)
		}
		texts[f.Name()] = string(text)
	}
	return texts
}

// pageNames are the templates that draw a page each, by file without .html.
// The others are parts of all pages.
func pageNames() (names []string) {
	for file := range builtin() {
		if name := strings.TrimSuffix(file, ".html"); name != "layout" && name != "parts" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// overrides are the files of an operator's directory, by name.
type overrides map[string]string

// readOverrides reads the directory. Every file has to be of use: one that
// is misspelled would do nothing, and its author would search for long.
// Hidden files are passed over; some systems keep versions there.
func readOverrides(dir fs.FS) (overrides, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fmt.Errorf("%w; name a directory that Caddy can read", cause(err))
	}
	known := append(slices.Collect(maps.Keys(builtin())), ownStyle)
	slices.Sort(known)
	out := overrides{}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%s is unknown; there are: %s", name, strings.Join(known, ", "))
		}
		if out[name], err = readOverride(dir, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return out, nil
}

func readOverride(dir fs.FS, name string) (string, error) {
	data, err := readBounded(dir, name)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(data) {
		return "", errors.New("is not UTF-8")
	}
	return string(data), nil
}

// maxFile bounds the logo and each file of a directory of templates.
const maxFile = 256 << 10

// readBounded reads a file of at most maxFile bytes.
func readBounded(dir fs.FS, name string) ([]byte, error) {
	// Looked at before it is opened: opening a pipe waits for its writer.
	info, err := fs.Stat(dir, name)
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is no regular file")
	}
	f, err := dir.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, cause(err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("is larger than %d KiB", maxFile>>10)
	}
	return data, nil
}

// cause is the bare reason of an error about a file. Its name goes before,
// as the operator wrote it.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// parsePage parses a page with the frame around it.
func parsePage(texts map[string]string, name string) (*template.Template, error) {
	t := template.New("")
	for _, file := range []string{"layout.html", "parts.html", name + ".html"} {
		if _, err := t.New(file).Parse(texts[file]); err != nil {
			return nil, plain(err)
		}
	}
	return t, nil
}

// plain makes an error about a template begin with its file and line, where
// it has them.
func plain(err error) error {
	return errors.New(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "html/template:"), "template: "))
}

// checkTemplates parses each override by itself and looks whether it defines
// what the one it replaces defines.
func (o overrides) checkTemplates() error {
	ours := builtin()
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if name == ownStyle {
			continue
		}
		want, err := defined(name, ours[name])
		if err != nil {
			return err
		}
		got, err := defined(name, o[name])
		if err != nil {
			return err
		}
		for _, part := range want {
			if !slices.Contains(got, part) {
				return fmt.Errorf("%s: lacks the template %s; write {{define %q}} before what it draws and {{end}} behind", name, part, part)
			}
		}
	}
	return nil
}

// defined returns the names of the templates in a file, in order.
func defined(name, text string) ([]string, error) {
	t, err := template.New(name).Parse(text)
	if err != nil {
		return nil, plain(err)
	}
	var names []string
	for _, part := range t.Templates() {
		if part.Name() != name {
			names = append(names, part.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

var (
	cssComment = regexp.MustCompile(`(?s)/\*.*?(\*/|$)`)
	cssRefused = regexp.MustCompile(`(?i)@import|@font-face|url\(\s*["']?(?:[a-z][a-z0-9+.-]*:|//)`)
)

// checkStyle refuses what would have no effect, because the policy of the
// pages lets nothing in from elsewhere, and no font from anywhere.
func (o overrides) checkStyle() error {
	css := cssComment.ReplaceAllStringFunc(o[ownStyle], func(comment string) string {
		return strings.Repeat("\n", strings.Count(comment, "\n"))
	})
	if at := cssRefused.FindStringIndex(css); at != nil {
		line := 1 + strings.Count(css[:at[0]], "\n")
		return fmt.Errorf("%s:%d: %s: the Content-Security-Policy of the pages blocks it; they load nothing but their own style sheet and pictures of their own origin",
			ownStyle, line, css[at[0]:at[1]])
	}
	return nil
}
