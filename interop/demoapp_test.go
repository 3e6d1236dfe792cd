package interop_test

import "testing"

// The demo application is at the issuer of the demo.
const (
	demoIssuer = "http://localhost:8420"
	demoApp    = demoIssuer + "/demo/"
)

// M83, M85, M86, M88 to M91 in a real browser: from the form of the demo
// application, which a browser holds to the page's policy, to the tokens, and
// out again.
func TestM83_M85_DemoApp(t *testing.T) {
	startExample(t, buildDemo, 8420, 8425)
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			// Consents are kept per user: the second run has another.
			user, name := "ada", "Ada Example"
			if !scripts {
				user, name = "grace", "Grace Example"
			}
			d := newTab(t, scripts, demoTenant)

			d.open(demoApp, "demo-start")
			d.click("demo-scope-email", "demo-start") // untick
			d.click("demo-start", "tenant-users-form")
			d.click("tenant-user-"+user, "consent-form")
			d.mustShow("consent-form", "Profile", "Allow access")
			d.click("consent-deny", "error-retry")
			d.mustShow("error-code", "access_denied")
			d.click("error-retry", "demo-start")
			d.click("demo-start", "consent-form")
			d.click("consent-allow", "demo-user")
			d.mustBeAt(demoApp)
			d.mustShow("demo-user", "Signed in as "+name)
			d.mustShow("demo-claim-email", user+"@example.com", "in the provider’s ID token", "ID token, Access token, Userinfo")
			d.click("demo-tab-access_token", "token-payload")
			d.mustShow("token-signature", "Verified")
			d.mustShow("token-payload", `"client_id": "demo"`, `"name": "`+name+`"`, `"email": "`+user+`@example.com"`)
			d.click("demo-tab-id_token", "token-payload")
			d.mustShow("token-signature", "Verified")
			d.mustShow("token-payload", `"aud": "demo"`, `"name": "`+name+`"`)
			d.click("demo-tab-refresh_token", "refresh-none")

			// Here alone: the gated site, the second client, still has its
			// session, and so does the broker.
			d.open(demoSite+"/", "consent-form")
			d.click("consent-allow", "echo-user")
			d.open(demoApp, "demo-logout")
			d.click("demo-logout", "demo-signed-out")
			d.open(demoSite+"/", "echo-user")

			// Consent was given, so signing in again shows no page of ours.
			d.open(demoIssuer+"/demo/login", "demo-user")
			d.click("demo-logout-everywhere", "logout-confirm")
			d.click("logout-confirm", "logout-done")
			d.open(demoApp, "demo-start")
			d.mustHaveNoViolations()
		})
	}
}
