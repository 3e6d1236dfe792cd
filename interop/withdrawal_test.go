package interop_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-auth-broker/caddy-auth-broker/interop"
)

// watchPage is a page of the application that shows whether its WebSocket is
// open, and since when it is not.
const watchPage = `<!doctype html><html lang="en"><title>Watch</title><p id="socket">…</p><script>
var shown = document.getElementById("socket"), socket = new WebSocket("ws://" + location.host + "/live/socket");
socket.onmessage = function () { shown.textContent = "open"; };
socket.onclose = function () { shown.textContent = "closed"; };
</script></html>`

func serveWatchPage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(watchPage))
}

// Two real browsers of one person. What is withdrawn in the portal of one is
// gone in the other: its WebSocket is closed within a second, and its very
// next request is that of a stranger.
func TestM94_WithdrawalInOneBrowserEndsTheOther(t *testing.T) {
	l := installLive(t, "")
	// The id of the client, in that of an element, in a selector.
	client := strings.ReplaceAll("gate:"+strings.TrimPrefix(l.site, "http://"), ":", `\:`)

	watching := listen(t, interop.NewChromium(t), true, l.tenant.Issuer())
	watching.open(l.site+"/live/watch", "tenant-users-form")
	watching.click("tenant-user-ada", "consent-form")
	watching.click("consent-allow", "socket")
	watching.waitForText("socket", "open", stepTimeout)

	portal := listen(t, interop.NewChromium(t), false, l.tenant.Issuer())
	portal.open(l.issuer+"/portal", "tenant-users-form")
	portal.click("tenant-user-ada", "portal-app-"+client)
	portal.click("withdraw-"+client, "withdraw-form")
	portal.click("withdraw-confirm", "portal-done")
	watching.waitForText("socket", "closed", streamsCloseWithin)

	// The provider still knows the person, so the next request ends where
	// everybody begins who has allowed nothing yet.
	watching.open(l.site+"/live/watch", "consent-form")
	watching.mustHaveNoViolations()
	portal.mustHaveNoViolations()
}

// waitForText demands that the element with the id shows the text in time.
func (d *tab) waitForText(id, text string, within time.Duration) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.ctx, within)
	defer cancel()
	var shown string
	for {
		now, err := chromedp.Run(ctx, chromedp.Text(chromedp.ID(id)))
		switch {
		case err != nil:
			d.t.Fatalf("element %s shows %q after %v, want %q", id, shown, within, text)
		case now == text:
			return
		}
		shown = now
		time.Sleep(10 * time.Millisecond)
	}
}
