package interop_test

import (
	_ "embed"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// layoutScript defines the functions of the checks below, as members of an
// object "layout".
//
//go:embed testdata/layout.js
var layoutScript string

// A view is how a page is looked at.
type view struct {
	width int64
	dark  bool
}

func (v view) String() string {
	if v.dark {
		return fmt.Sprintf("%d px, dark", v.width)
	}
	return fmt.Sprintf("%d px, light", v.width)
}

// show changes how the page is looked at, without loading it again.
func (d *tab) show(t *testing.T, v view) {
	t.Helper()
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(d.ctx, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
	size := emulation.SetDeviceMetricsOverrideParams{Width: v.width, Height: 800, DeviceScaleFactor: 1}
	if _, err := chromedp.Call(d.ctx, emulation.SetDeviceMetricsOverride, size); err != nil {
		t.Fatal(err)
	}
}

// layout returns what is wrong with the page as it lies there: it scrolls
// sideways, text is cut off, or a target is smaller than 24 by 24 px (WCAG
// 2.2, 2.5.8).
func (d *tab) layout() []string {
	d.t.Helper()
	return evaluate[[]string](d, "layout.check()")
}

// zoomed returns what is wrong when text is twice its size (WCAG 2.2, 1.4.4),
// as it is for people who have set their browser so.
func (d *tab) zoomed() []string {
	d.t.Helper()
	d.setFontSize(2 * 16)
	defer d.setFontSize(16)
	return evaluate[[]string](d, "layout.zoomed()")
}

func (d *tab) setFontSize(px int64) {
	d.t.Helper()
	sizes := page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: px, Fixed: px * 13 / 16}}
	if _, err := chromedp.Call(d.ctx, page.SetFontSizes, sizes); err != nil {
		d.t.Fatal(err)
	}
}

// walk presses Tab from the top of the page to its end, and returns what is
// wrong: an element that cannot be reached, comes out of order, or does not
// show that it has the focus (WCAG 2.2, 2.1.1, 2.4.3 and 2.4.7).
func (d *tab) walk() []string {
	d.t.Helper()
	for range evaluate[int](d, "layout.begin()") {
		down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "Tab", Code: "Tab", WindowsVirtualKeyCode: 9}
		if _, err := chromedp.Call(d.ctx, input.DispatchKeyEvent, down); err != nil {
			d.t.Fatal(err)
		}
	}
	return evaluate[[]string](d, "layout.end()")
}
