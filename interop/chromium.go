package interop

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// How long one test may use its browser. Starting Chromium takes seconds on
// a machine that also runs the race detector, and one test looks at all pages.
const chromiumTimeout = 8 * time.Minute

// The names of Chromium's command, by distribution.
var chromiumNames = []string{"chromium", "chromium-browser", "google-chrome"}

// NewChromium starts a headless Chromium with an empty profile of its own and
// returns the context of its one tab, for chromedp.Run. Extra options come
// on top, such as a host mapping. The test's end closes the browser.
func NewChromium(t testing.TB, extra ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	command, err := chromiumCommand()
	if err != nil {
		t.Fatal(err)
	}
	// The defaults are quiet and headless already; these say what the tests
	// rely on besides.
	options := slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(command),
		chromedp.UserDataDir(t.TempDir()),
		// Chromium's own sandbox cannot start as root or in most
		// containers; what it shows here are our own pages.
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		// No traffic but the test's own.
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	}, extra)
	limited, cancelLimit := context.WithTimeout(context.Background(), chromiumTimeout)
	allocator, cancelAllocator := chromedp.NewExecAllocator(limited, options...)
	tab, cancelTab := chromedp.NewContext(allocator, chromedp.WithErrorf(t.Logf))
	t.Cleanup(func() {
		// Cancel asks the browser to close and waits for its process; the
		// profile folder can only be removed after that.
		if err := chromedp.Cancel(tab); err != nil {
			t.Logf("closing Chromium: %v", err)
		}
		cancelTab()
		cancelAllocator()
		cancelLimit()
	})
	return tab
}

func chromiumCommand() (string, error) {
	for _, name := range chromiumNames {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium: install the package chromium, or run make test")
}
