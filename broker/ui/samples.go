package ui

import (
	"net/http"
	"slices"
	"time"
)

// A sample draws one page with made-up content. Templates that an operator
// supplies are tried out on them, and tests draw them.
type sample struct {
	page string // whose template it is, without .html
	draw func(*Pages, http.ResponseWriter, *http.Request)
}

// samples has of each page one with every field filled, so that every branch
// of its template is drawn, and one with as little as there can be.
func samples() []sample {
	return slices.Concat(
		drawn("chooser", (*Pages).Chooser, fullChooser(), Chooser{}),
		drawn("consent", (*Pages).Consent, fullConsent(), Consent{}),
		drawn("error", (*Pages).Error, fullError(), Error{}),
		drawn("logout_confirm", (*Pages).LogoutConfirm, fullLogoutConfirm(), LogoutConfirm{}),
		drawn("signed_out", (*Pages).SignedOut, fullSignedOut(), SignedOut{}),
		drawn("portal", (*Pages).Portal, fullPortal(), Portal{}),
		drawn("portal_withdraw", (*Pages).Withdrawal, fullWithdrawal(), Withdrawal{}),
		drawn("demo_start", (*Pages).DemoStart, fullDemoStart(), DemoStart{}),
		drawn("demo_forward", (*Pages).DemoForward, fullDemoForward(), DemoForward{}),
		drawn("demo", (*Pages).Demo,
			fullDemo(DemoClaims), fullDemo(DemoAccessToken), fullDemo(DemoIDToken), fullDemo(DemoRefreshToken),
			Demo{}, Demo{Tab: DemoAccessToken}, Demo{Tab: DemoRefreshToken}),
	)
}

// drawn makes samples of the page that draw writes.
func drawn[V any](page string, draw func(*Pages, http.ResponseWriter, *http.Request, V), views ...V) (list []sample) {
	for _, v := range views {
		list = append(list, sample{page, func(p *Pages, w http.ResponseWriter, r *http.Request) { draw(p, w, r, v) }})
	}
	return list
}

func fullClient() Client {
	return Client{
		Name: "Grafana", URI: "https://grafana.example.com/", RedirectHost: "login.grafana.example.com",
		LogoURL: "/oauth2/assets/logo/grafana", PolicyURI: "https://grafana.example.com/policy",
		TOSURI: "https://grafana.example.com/terms", Unverified: true,
	}
}

func fullChooser() Chooser {
	return Chooser{
		Client: fullClient(),
		Connections: []Connection{
			{ID: "acme", Name: "Acme staff", URL: "/oauth2/login?connection=acme", LogoURL: "/oauth2/assets/logo/acme"},
			{ID: "partner", Name: "Partners", URL: "https://auth.example.com/oauth2/login?connection=partner", Down: true},
		},
		Unavailable: "Partners",
		RememberURL: "/oauth2/login?remember=1",
		Email: &EmailField{
			Action: "/oauth2/login", Hidden: map[string]string{"flow": "one"}, Value: "ada@example.com", Unknown: true,
		},
		AllURL: "/oauth2/login?flow=one",
	}
}

func fullConsent() Consent {
	return Consent{
		Action: "/oauth2/consent", Hidden: map[string]string{"csrf": "not-a-secret", "login_id": "one"},
		RedirectOrigin: "https://grafana.example.com", Account: "ada@example.com", Client: fullClient(),
		Scopes: []Scope{
			{Name: "openid", DisplayName: "Confirm who you are", Fixed: true},
			{Name: "email", DisplayName: "Email", Description: "Your address", Fixed: true, Why: "Your account is tied to it."},
			{Name: "profile", DisplayName: "Profile", Description: "Your name and picture"},
			{Name: "orders:read", DisplayName: "Read orders", Service: "Order service"},
			{Name: "phone", DisplayName: "Phone", Granted: true},
		},
		Claims: []Claim{
			{Name: "birthdate", DisplayName: "Date of birth", Description: "Day, month and year"},
			{Name: "locale", DisplayName: "Language", Granted: true},
		},
		Purpose: "To show your own dashboards.", Lifetime: 180 * 24 * time.Hour, PortalURL: "/portal",
	}
}

func fullError() Error {
	return Error{
		Reason: "upstream_denied", Code: "access_denied", Status: http.StatusForbidden,
		RetryURL: "/oauth2/authorize?client_id=grafana", BackURL: "https://grafana.example.com/", OtherAccountURL: "/oauth2/authorize?prompt=login",
		SignOutURL: "https://login.example.com/v2/logout", Trace: "6f1c2a90b7d44c1e",
		Time: time.Date(2026, 11, 25, 12, 8, 9, 0, time.FixedZone("CET", 3600)),
	}
}

func fullLogoutConfirm() LogoutConfirm {
	return LogoutConfirm{
		Action: "/oauth2/logout", Hidden: map[string]string{"csrf": "not-a-secret"},
		FormAction: []string{"https://login.example.com"},
	}
}

func fullSignedOut() SignedOut { return SignedOut{ContinueURL: "https://app.example.com/"} }
