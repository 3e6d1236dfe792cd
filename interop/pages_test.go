package interop_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	cdplog "github.com/chromedp/cdproto/log"
)

// Every page as people look at it: on a telephone, a tablet and a desk, by
// day and by night, with scripts and without. It has to be usable by eye, by
// keyboard and by screen reader, and may rely on no script.
func TestM88_S51_G26_EveryPageIsForEverybody(t *testing.T) {
	g := openGallery(t)
	for _, p := range galleryPages() {
		for mode, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
			t.Run(p.name+" "+mode, func(t *testing.T) {
				t.Parallel()
				d := g.visit(t, scripts, cmp.Or(p.language, "en"))
				p.open(g, d)
				d.prepareAxe()
				if got, want := evaluate[string](d, "document.documentElement.lang"), cmp.Or(p.language, "en"); got != want {
					t.Errorf("the page is in %q, want %q", got, want)
				}
				for _, width := range []int64{320, 768, 1280} {
					for _, dark := range []bool{false, true} {
						v := view{width: width, dark: dark}
						d.show(t, v)
						report(t, v, d.axe(), d.layout())
					}
				}
				// What the scheme has no part in, and the other way round.
				for _, v := range []view{{width: 320}, {width: 768}, {width: 1280, dark: true}} {
					d.show(t, v)
					report(t, v, d.walk(), d.zoomed())
				}
				for _, text := range d.complaints() {
					t.Errorf("console: %s", text)
				}
			})
		}
	}
}

func report(t *testing.T, v view, lists ...[]string) {
	t.Helper()
	lines := slices.Concat(lists...)
	for _, line := range lines[:min(len(lines), 5)] {
		t.Errorf("%v: %s", v, line)
	}
	if len(lines) > 5 {
		t.Errorf("%v: and %d more", v, len(lines)-5)
	}
}

// complaints are the warnings and errors of the console, but for those about
// a stand-in's own pages, about the status that an error page comes with, and
// about the icon that Chromium asks for by itself.
func (d *tab) complaints() (texts []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.entries {
		if e.Level != cdplog.EntryLevelError && e.Level != cdplog.EntryLevelWarning {
			continue
		}
		if d.foreign(e.URL) || d.documents[e.URL] || strings.HasSuffix(e.URL, "/favicon.ico") {
			continue
		}
		texts = append(texts, string(e.Source)+": "+e.Text+" "+e.URL)
	}
	return texts
}
