package ui

import (
	"encoding/json"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
)

func fullPortal() Portal {
	at := time.Date(2026, 11, 25, 12, 8, 9, 0, time.UTC)
	return Portal{
		Account: "ada@example.com", SignOutURL: "/portal/auth/logout", DemoURL: "/demo/login",
		WithdrawURL: "/portal/withdraw", EndURL: "/portal/sessions/end", EndAllURL: "/portal/sessions/end-all",
		Token: "not-a-secret", Done: DoneWithdrawn,
		Apps: []PortalApp{
			fullPortalApp(),
			{ID: "old", Client: Client{Name: "old"}, Gone: true, WithdrawURL: "/portal/withdraw?client=old"},
			{ID: "home", Client: Client{Name: "Intranet", URI: "https://home.example.com/", RedirectHost: "home.example.com"}, Trusted: true, Used: at},
		},
		SignIn: SignIn{Connection: "Acme staff", Time: at, Methods: []string{"pwd", "badge"}},
		Data: []Datum{
			{Name: "name", Label: "Name", Value: "Ada Lovelace", Origin: Origin{Kind: authn.FromProvider, Connection: "Acme staff", Document: "id_token", Path: "name"}},
			{Name: "groups", Label: "Groups of the user", Value: []any{"staff", "admins"}, Origin: Origin{Kind: authn.FromScript}},
			{Name: "profile", Value: map[string]any{"since": json.Number("2019"), "active": true}, Origin: Origin{Kind: authn.FromProvider, Connection: "Acme staff"}},
			{Name: "email_verified", Label: "Email verified", Value: false},
		},
		Sessions: []PortalSession{
			{SID: "one", Device: "Firefox, Linux", Current: true, Connections: []string{"Acme staff"}, Sites: []string{"Orders"}, Created: at, Used: at, Expires: at.Add(12 * time.Hour)},
			{SID: "two", Device: "Safari, iPhone", Connections: []string{"Acme staff", "Partners"}, Created: at, Used: at, Expires: at.Add(12 * time.Hour)},
		},
	}
}

func fullPortalApp() PortalApp {
	at := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	return PortalApp{
		ID: "grafana", Client: fullClient(), WithdrawURL: "/portal/withdraw?client=grafana", Used: at.AddDate(0, 1, 0),
		Grants: []PortalGrant{
			{Scope: "email", Name: "email", DisplayName: "Email", Description: "Your address", Given: at, Expires: at.AddDate(0, 6, 0)},
			{Name: "birthdate", DisplayName: "Date of birth", Description: "Day, month and year", Given: at},
		},
	}
}

func fullWithdrawal() Withdrawal {
	return Withdrawal{
		App: fullPortalApp(), Action: "/portal/withdraw", CancelURL: "/portal",
		Hidden: map[string]string{"client": "grafana", "token": "not-a-secret"},
	}
}
