package interop_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe-core, from npm, finds what keeps people from using a page: the rules of
// WCAG that a program can check. What it cannot see is in the checks of the
// layout.

var readAxe = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile("node/node_modules/axe-core/axe.min.js")
	if err != nil {
		return "", fmt.Errorf("axe-core is missing: run npm ci in interop/node, or make test: %w", err)
	}
	return string(source), nil
})

// runAxe calls axe with the rules of WCAG 2.2, levels A and AA, and those of
// good practice. It answers with a line for each element that breaks a rule.
const runAxe = `axe.run(document, {
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
	resultTypes: ["violations"],
}).then(found => found.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 200) + ": " + n.failureSummary)))`

// prepareAxe brings axe and the checks of the layout into the page. Neither
// needs the page's permission: its policy binds pages and not debuggers.
//
// A page that was loaded with scripts off is what it is; from here on scripts
// run again, because axe waits for timers.
func (d *tab) prepareAxe() {
	d.t.Helper()
	source, err := readAxe()
	if err != nil {
		d.t.Fatal(err)
	}
	on := emulation.SetScriptExecutionDisabledParams{Value: false}
	if _, err := chromedp.Call(d.ctx, emulation.SetScriptExecutionDisabled, on); err != nil {
		d.t.Fatal(err)
	}
	// Tabs that lie behind another do not get the focus otherwise.
	if _, err := chromedp.Call(d.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		d.t.Fatal(err)
	}
	evaluate[chromedp.Void](d, source+";0")
	evaluate[chromedp.Void](d, layoutScript+";0")
}

// axe returns what breaks a rule, as the page is shown now.
func (d *tab) axe() []string {
	d.t.Helper()
	return evaluate[[]string](d, runAxe, chromedp.EvalAwaitPromise)
}

func evaluate[T any](d *tab, expression string, options ...chromedp.EvaluateOption) T {
	d.t.Helper()
	got, err := chromedp.Run(d.ctx, chromedp.Evaluate[T](expression, options...))
	if err != nil {
		d.t.Fatalf("evaluating %.60s: %v", expression, err)
	}
	return got
}

// A page that is bad in every way that the pages' test looks for. Without
// this, checks that find nothing anywhere would pass for good pages.
const badPage = `<!doctype html>
<html>
<title></title>
<style>
	:focus { outline: none }
	#pale { color: #ccc; background: #fff }
	#wide { width: 2000px }
	#cut { width: 5em; overflow: hidden; white-space: nowrap }
	#tiny { width: 10px; height: 10px; padding: 0; border: 0; overflow: hidden }
	#last { position: absolute; top: 0; left: 0 }
	#fixed { height: 20px; overflow: hidden }
</style>
<p id="pale">pale</p>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">
<p id="wide">wide</p>
<p id="cut">a text that does not fit into its box</p>
<p id="fixed">one line</p>
<input id="unnamed">
<button id="tiny">x</button>
<button id="skipped" tabindex="-1">never reached</button>
<p style="height: 3em">Space</p>
<a id="link" href="#there">A link with a text long enough</a>
<button id="last">above all that comes before it</button>`

func TestBadPageIsFound(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(badPage))
	}))
	defer page.Close()
	d := newTab(t, false, demoTenant)
	d.open(page.URL, "last")
	d.prepareAxe()
	d.show(t, view{width: 768})

	found := d.axe()
	for _, rule := range []string{"color-contrast", "image-alt", "html-has-lang", "document-title", "label", "landmark-one-main"} {
		if !slices.ContainsFunc(found, func(line string) bool { return strings.HasPrefix(line, rule+":") }) {
			t.Errorf("axe has not found %s: %q", rule, found)
		}
	}
	found = slices.Concat(d.layout(), d.zoomed(), d.walk())
	for _, want := range []string{
		"scrolls sideways", "#cut: cut off", "#fixed: cut off at 200 %", "#tiny: target of 10×10",
		"#unnamed: no visible focus", "#skipped: not reached by Tab", "#last: out of order",
	} {
		if !slices.ContainsFunc(found, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("the layout's checks have not found %q: %q", want, found)
		}
	}
}
