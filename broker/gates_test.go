package broker_test

import (
	"net/http"
	"testing"
	"time"
)

// An application, or a proxy in between, loses the gate's cookie, and the
// upstream signs the person in again without asking: the whole way round,
// each time, without a word on the screen.
func TestS20_LoopThroughASilentUpstreamStops(t *testing.T) {
	w := newWorld(t, options{})
	b := w.newBrowser()
	lose := func() {
		b.SetCookie(gatedSite, &http.Cookie{Name: "__Host-auth_gate", Path: "/", Secure: true, MaxAge: -1})
		w.clock.Advance(time.Second)
	}
	w.enter(b, "/orders?id=7", "ada")
	for range 2 {
		lose()
		if page := b.Get(gatedSite + "/orders?id=7"); !page.Has("app") {
			t.Fatalf("the upstream asks: %d %s", page.Status, page.URL)
		}
	}
	lose()
	page := b.Get(gatedSite + "/orders?id=7")
	if page.Status != http.StatusBadRequest || !page.Has("error-retry") || page.URL.String() != gatedSite+"/orders?id=7" {
		t.Fatalf("no explanation: %d %s\n%s", page.Status, page.URL, page.Body)
	}
	if page = b.Click("error-retry"); !page.Has("app") || page.URL.String() != gatedSite+"/orders?id=7" {
		t.Errorf("starting over led to %d %s\n%s", page.Status, page.URL, page.Body)
	}
}
