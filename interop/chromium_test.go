package interop_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/caddy-auth-broker/caddy-auth-broker/interop"
)

// A browser goes through the upstream's login page to a callback that really
// answers.
func TestChromiumSignsInAtUpstream(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<p id="arrived">arrived</p>`))
	}))
	defer app.Close()
	client := map[string]any{
		"client_id": "broker", "client_secret": "not-a-secret", "redirect_uris": []string{app.URL + "/callback"},
	}
	rp := interop.StartNode(t, "rp.mjs", map[string]any{
		"issuer":        startUpstream(t, client),
		"client_id":     "broker",
		"client_secret": "not-a-secret",
		"redirect_uri":  app.URL + "/callback",
	})
	var request struct{ URL string }
	rp.MustCall(t, "begin", map[string]string{"scope": "openid email"}, &request)

	tab := interop.NewChromium(t)
	err := chromedp.Do(tab,
		chromedp.Navigate(request.URL),
		chromedp.SendKeys(chromedp.ID("username"), "ada@example.com"),
		chromedp.SendKeys(chromedp.ID("password"), "not-a-secret"),
		chromedp.Click(chromedp.ID("tenant-login")),
		chromedp.WaitVisible(chromedp.ID("arrived")),
	)
	if err != nil {
		t.Fatalf("signing in by browser: %v", err)
	}
	location, err := chromedp.Run(tab, chromedp.Location())
	if err != nil {
		t.Fatalf("reading the address: %v", err)
	}
	var got signedIn
	rp.MustCall(t, "finish", map[string]string{"callback": location}, &got)
	if got.Claims["email"] != "ada@example.com" {
		t.Errorf("claims %v, want those of ada@example.com", got.Claims)
	}
}
