package ui

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// A draft is a page drawn to be looked at by us.
type draft struct {
	header http.Header
	body   bytes.Buffer
}

func (d *draft) Header() http.Header         { return d.header }
func (d *draft) Write(p []byte) (int, error) { return d.body.Write(p) }
func (d *draft) WriteHeader(int)             {}

// check draws every sample in every language from the theme's templates and
// from ours, and compares.
func (t *Theme) check() error {
	var failure error
	o := Options{StylePath: "/style.css", Failed: func(err error) { failure = err }}
	ours, err := New(o)
	if err != nil {
		return err
	}
	o.Theme = t
	theirs, err := New(o)
	if err != nil {
		return err
	}
	for _, s := range samples() {
		for _, lang := range Languages() {
			want, got := s.in(lang, ours), s.in(lang, theirs)
			if failure != nil {
				return t.locate(s.page, failure)
			}
			if err := compare(want, got); err != nil {
				return t.locate(s.page, err)
			}
		}
	}
	return nil
}

// in draws the sample in a language.
func (s sample) in(lang string, p *Pages) *draft {
	d := &draft{header: http.Header{}}
	s.draw(p, d, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/"}, Header: http.Header{"Accept-Language": {lang}}})
	return d
}

func compare(ours, theirs *draft) error {
	want, err := html.Parse(&ours.body)
	if err != nil {
		return err
	}
	got, err := html.Parse(&theirs.body)
	if err != nil {
		return err
	}
	if b := blocked(got); b != nil {
		return b
	}
	return keeps(want, got)
}

// hasPlace finds the file in front of an error about a template.
var hasPlace = regexp.MustCompile(`^[a-z_]+\.html:`)

// locate puts in front of an error about a page the file that the operator
// has to look at, and the line where it can be found.
func (t *Theme) locate(page string, err error) error {
	if hasPlace.MatchString(err.Error()) {
		return err
	}
	var place *regexp.Regexp
	if b, ok := errors.AsType[*blockage](err); ok {
		place = b.place
	}
	first := ""
	for _, file := range []string{page + ".html", "layout.html", "parts.html"} {
		text, ok := t.own[file]
		if !ok {
			continue
		}
		if first == "" {
			first = file
		}
		if place == nil {
			break
		}
		if at := place.FindStringIndex(text); at != nil {
			return fmt.Errorf("%s:%d: %w", file, 1+strings.Count(text[:at[0]], "\n"), err)
		}
	}
	return fmt.Errorf("%s: %w", first, err)
}
