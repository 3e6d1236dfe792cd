package ui

import (
	"fmt"
	"maps"
	"os"
)

// A Look is what an operator changes about the pages. The zero value changes
// nothing.
type Look struct {
	// Logo is the name of a file: PNG, JPEG, GIF, WebP or SVG, 256 KiB at
	// most. It stands at the top of every page in place of the title.
	Logo string

	// Accent is the colour of buttons and links, "#rgb" or "#rrggbb". Where
	// it would be hard to read it is made darker, or lighter.
	Accent string

	// Templates is the name of a directory. Its files replace the built-in
	// templates of the same names, and the rules of its style.css come after
	// the built-in ones. Each file has 256 KiB at most.
	Templates string
}

// A Theme is a look that has been read and checked. Several Pages can share
// it.
type Theme struct {
	logo  *asset // nil: none
	style asset
	texts map[string]string // of the templates, by file name
	own   overrides
}

// NewTheme reads the files that the look names. Errors begin with the setting
// at fault: "logo", "accent" or "templates", and name file and line.
//
// A template has to parse, to fit the views of its page, and to keep what
// scripts, tests and the broker itself rely on; that is tried out on made-up
// content (samples.go), so that a mistake stops the configuration and not a
// visitor.
func NewTheme(l Look) (*Theme, error) {
	t := &Theme{texts: builtin()}
	css := styleCSS()
	if l.Logo != "" {
		logo, err := readLogo(l.Logo)
		if err != nil {
			return nil, fmt.Errorf("logo: %w", err)
		}
		t.logo = logo
	}
	if l.Accent != "" {
		accent, err := ParseAccent(l.Accent)
		if err != nil {
			return nil, fmt.Errorf("accent: %w", err)
		}
		css = append(css, accent.css(css)...)
	}
	if l.Templates != "" {
		if err := t.read(l.Templates); err != nil {
			return nil, fmt.Errorf("templates %s: %w", l.Templates, err)
		}
		if own := t.own[ownStyle]; own != "" {
			css = append(append(css, '\n'), own...)
		}
	}
	t.style = newAsset("text/css; charset=utf-8", css)
	if len(t.own) > 0 {
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("templates %s: %w", l.Templates, err)
		}
	}
	return t, nil
}

// builtinTheme is the one without any settings.
func builtinTheme() *Theme {
	return &Theme{texts: builtin(), style: newAsset("text/css; charset=utf-8", styleCSS())}
}

// read takes over the files of a directory.
func (t *Theme) read(dir string) error {
	own, err := readOverrides(os.DirFS(dir))
	if err != nil {
		return err
	}
	t.own = own
	maps.Copy(t.texts, own)
	if err := own.checkStyle(); err != nil {
		return err
	}
	return own.checkTemplates()
}
