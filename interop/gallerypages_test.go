package interop_test

import (
	"net/url"

	"github.com/chromedp/chromedp"
)

// A galleryPage is one page and the way to it, in a browser that has not been
// anywhere yet.
type galleryPage struct {
	// name is that of its pictures.
	name string

	// about says what it is, under its pictures.
	about string

	// open leads a tab to the page, and fails the test if it does not come.
	open func(*gallery, *tab)

	// language is the browser's. Default: English.
	language string
}

// singleClaims asks for two claims beside those that come with scopes.
const singleClaims = `{"id_token":{"tenant":null},"userinfo":{"groups":null}}`

// galleryPages are all pages that people meet.
func galleryPages() []galleryPage {
	return []galleryPage{
		{name: "chooser", about: "Choosing a provider", open: func(g *gallery, d *tab) {
			d.open(g.authorize("studio"), "login-form")
			d.mustShow("login-form", "Acme staff", "Partners and guests")
		}},
		{name: "chooser-remember", about: "The choice will be remembered", open: func(g *gallery, d *tab) {
			d.open(g.authorize("studio"), "login-form")
			d.click("chooser-remember", "login-form")
		}},
		{name: "chooser-found", about: "An e-mail address leads to one provider", open: func(g *gallery, d *tab) {
			d.open(g.authorize("studio"), "email-form")
			d.fill("email", "ada@partner.example")
			d.click("email-continue", "chooser-all")
		}},
		{name: "chooser-unknown", about: "An e-mail address that leads nowhere", open: func(g *gallery, d *tab) {
			d.open(g.authorize("studio"), "email-form")
			d.fill("email", "ada@nowhere.example")
			d.click("email-continue", "email-unknown")
		}},
		{name: "chooser-down", about: "A provider does not answer", open: func(g *gallery, d *tab) {
			// The broker finds out when somebody wants to go there.
			d.open(g.authorize("outdated", "idp_hint", "old"), "login-form")
			d.mustShow("login-form", "Acme staff", "Legacy directory")
			d.mustShow("connection-old", "Not answering")
			d.mustShow("chooser-unavailable", "Legacy directory did not answer")
		}},
		{name: "chooser-de", about: "Choosing a provider, in German", language: "de", open: func(g *gallery, d *tab) {
			d.open(g.authorize("studio"), "login-form")
		}},

		{name: "consent", about: "Consent: scopes by service, single claims, purpose", open: (*gallery).fullConsent},
		{name: "consent-de", about: "Consent, in German", language: "de", open: (*gallery).fullConsent},
		{name: "consent-plain", about: "Consent for a small application", open: func(g *gallery, d *tab) {
			d.open(g.authorize("notes"), "tenant-users-form")
			d.click("tenant-user-ada", "consent-form")
		}},
		{name: "consent-more", about: "Consent for one more scope", open: func(g *gallery, d *tab) {
			d.open(g.authorize("studio", "idp_hint", "acme", "prompt", "consent", "scope", "openid profile email calendar:read"), "tenant-users-form")
			d.click("tenant-user-grace", "consent-form")
			d.click("consent-allow", "app")
			d.open(g.authorize("studio", "idp_hint", "acme", "scope", "openid profile email calendar:read calendar:write"), "consent-form")
			d.mustShow("consent-form", "Add to your calendar")
		}},
		{name: "consent-hostile", about: "Consent for an application with a hostile name", open: func(g *gallery, d *tab) {
			d.open(g.authorize("hostile", "scope", "openid profile hostile:<b>bold</b>&amp;",
				"purpose", "</blockquote><script>alert(1)</script> abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"), "tenant-users-form")
			d.click("tenant-user-ada", "consent-form")
		}},
		{name: "consent-site", about: "Consent for a gated site", open: func(g *gallery, d *tab) {
			d.open(g.site+"/orders?id=7", "tenant-users-form")
			d.click("tenant-user-grace", "consent-form")
			d.mustShow("consent-form", "Allow")
		}},

		{name: "error-client", about: "An unknown application", open: func(g *gallery, d *tab) {
			d.open(g.authorize("nobody"), "error-code")
		}},
		{name: "error-client-de", about: "An unknown application, in German", language: "de", open: func(g *gallery, d *tab) {
			d.open(g.authorize("nobody"), "error-code")
		}},
		{name: "error-redirect", about: "A return address that is not registered", open: func(g *gallery, d *tab) {
			d.open(g.authorize("notes", "redirect_uri", "https://attacker.example.com/callback"), "error-code")
		}},
		{name: "error-stale", about: "A callback of before", open: func(g *gallery, d *tab) {
			d.open(g.issuer+"/oauth2/callback/acme?"+url.Values{"code": {"of-before"}, "state": {"of-before"}}.Encode(), "error-code")
		}},
		{name: "error-no-connections", about: "No provider to sign in with", open: func(g *gallery, d *tab) {
			d.open(g.authorize("stranded"), "error-code")
		}},

		{name: "site-unreachable", about: "The provider of a gated site does not answer", open: func(g *gallery, d *tab) {
			d.open(g.shut+"/stock", "error-code")
		}},
		{name: "site-unreachable-de", about: "The same, in German", language: "de", open: func(g *gallery, d *tab) {
			d.open(g.shut+"/stock", "error-code")
		}},
		{name: "site-logout", about: "Signing out, asked for by another site", open: func(g *gallery, d *tab) {
			g.enter(d)
			// Another site leads here.
			d.open(g.client+"/?"+url.Values{"to": {g.home + "/.auth/logout"}}.Encode(), "away")
			d.click("away", "logout-form")
		}},
		{name: "site-signed-out", about: "Signed out", open: func(g *gallery, d *tab) {
			g.enter(d)
			d.click("sign-out", "logout-done")
		}},

		{name: "portal", about: "My account: apps, data, sessions", open: (*gallery).openPortal},
		{name: "portal-de", about: "My account, in German", language: "de", open: (*gallery).openPortal},
		{name: "portal-withdraw", about: "Withdrawing the access of an application", open: func(g *gallery, d *tab) {
			g.openPortal(d)
			d.click("withdraw-board", "withdraw-form")
		}},

		{name: "demo", about: "Demo application: what to ask for", open: func(g *gallery, d *tab) {
			d.open(g.issuer+"/demo/", "demo-start")
		}},
		{name: "demo-claims", about: "Demo application: claims and where they come from", open: (*gallery).openDemo},
		{name: "demo-token", about: "Demo application: access token", open: func(g *gallery, d *tab) {
			g.openDemo(d)
			d.click("demo-tab-access_token", "token-payload")
		}},
		{name: "demo-de", about: "Demo application, in German", language: "de", open: (*gallery).openDemo},

		{name: "lineage", about: "Data lineage: the way of a provider's data", open: func(g *gallery, d *tab) {
			d.open(g.admin+"/auth_broker/lineage?connection=acme", "picture")
		}},
		{name: "lineage-attribute", about: "Data lineage: who gets an attribute", open: func(g *gallery, d *tab) {
			d.open(g.admin+"/auth_broker/lineage?attribute=email", "picture")
		}},
		{name: "traces", about: "Data lineage: the last sign-ins", open: (*gallery).openTraces},
		{name: "traces-sign-in", about: "Data lineage: what became of each claim in one sign-in", open: func(g *gallery, d *tab) {
			g.openTraces(d)
			// Other tests sign in elsewhere meanwhile.
			d.click(evaluate[string](d, `[...document.querySelectorAll("#sign-ins tbody tr")].find(row => row.cells[1].textContent === "demo").querySelector("a").id`), "stages")
		}},
	}
}

// fullConsent asks for everything that a consent page can show.
func (g *gallery) fullConsent(d *tab) {
	d.open(g.authorize("studio", "idp_hint", "acme",
		"scope", "openid profile email phone calendar:read calendar:write files:read offline_access",
		"claims", singleClaims, "purpose", "To plan the week of your team and file what came of it."), "tenant-users-form")
	d.click("tenant-user-ada", "consent-form")
}

// openPortal opens the portal of somebody who uses some applications.
func (g *gallery) openPortal(d *tab) {
	d.open(g.authorize("board", "idp_hint", "acme", "prompt", "consent", "scope", "openid profile email teams calendar:read"), "tenant-users-form")
	d.click("tenant-user-ada", "consent-form")
	d.click("consent-allow", "app")
	d.open(g.home+"/", "app")
	d.open(g.issuer+"/portal", "login-form")
	d.click("connection-acme", "portal-account")
}

// openTraces signs somebody in and opens the list of sign-ins.
func (g *gallery) openTraces(d *tab) {
	g.openDemo(d)
	d.open(g.admin+"/auth_broker/traces", "sign-ins")
}

// openDemo signs in at the demo. Consent is asked for the first time only.
func (g *gallery) openDemo(d *tab) {
	d.open(g.issuer+"/demo/", "demo-start")
	d.click("demo-start", "login-form")
	d.click("connection-acme", "tenant-users-form")
	d.do("signing in", "consent-form, #demo-user", chromedp.Click(chromedp.ID("tenant-user-ada")))
	if evaluate[bool](d, `document.getElementById("consent-form") !== null`) {
		d.click("consent-allow", "demo-user")
	}
}

// enter signs in at the gated site that asks for no consent.
func (g *gallery) enter(d *tab) {
	d.open(g.home+"/", "tenant-users-form")
	d.click("tenant-user-ada", "app")
}

// fill types into the field with the id.
func (d *tab) fill(id, text string) {
	d.t.Helper()
	if err := chromedp.Do(d.ctx, chromedp.SendKeys(chromedp.ID(id), text)); err != nil {
		d.t.Fatalf("filling in %s: %v", id, err)
	}
}
