package ui

import (
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
)

// What the demo's pages are tried out with.

func fullDemoStart() DemoStart {
	return DemoStart{
		Action: "/demo/login",
		Scopes: []DemoScope{
			{Name: "openid", DisplayName: "Confirm who you are", Description: "Recognise you when you come back", Fixed: true},
			{Name: "profile", DisplayName: "Profile", Description: "Your name, picture and other profile details", Checked: true},
			{Name: "email", DisplayName: "Email", Description: "Your email address and whether it is verified", Checked: true},
			{Name: "orders:read"},
		},
		Prompt: "consent", LoginHint: "ada@example.com", ACRValues: "mfa pwd", Purpose: "To try it out.",
		SignedOut: true, BackURL: "/demo/",
	}
}

func fullDemoForward() DemoForward { return DemoForward{URL: "/oauth2/authorize?client_id=demo"} }

// fullDemo shows one tab. The tokens are no tokens, only shaped like some.
func fullDemo(tab DemoTab) Demo {
	expires := time.Date(2026, 11, 25, 12, 18, 9, 0, time.UTC)
	return Demo{
		URL: "/demo/", Tab: tab, Person: "Ada Example", Refused: true,
		Granted:  []DemoScope{{Name: "openid", DisplayName: "Confirm who you are"}, {Name: "profile", DisplayName: "Profile"}},
		Withheld: []DemoScope{{Name: "email", DisplayName: "Email"}},
		Claims: []DemoClaim{
			{Name: "sub", Path: "sub", Value: "5f1c2a90b7d44c1e8a3b", Sources: []DemoSource{{Origin: authn.FromBroker}}, In: []string{"id_token", "access_token", "userinfo"}},
			{Name: "name", Path: "name", Value: "Ada Example", Sources: []DemoSource{{Origin: authn.FromProvider, Document: "id_token", Claim: "name"}}, In: []string{"id_token", "access_token", "userinfo"}},
			{Name: "address", Path: "address", Value: "{\n  \"country\": \"GB\",\n  \"locality\": \"London\"\n}", Sources: []DemoSource{
				{Origin: authn.FromProvider, Document: "userinfo", Claim: "address.country"}, {Origin: authn.FromScript},
			}, In: []string{"id_token", "userinfo"}},
			{Name: "plan", Path: "billing.plan", Value: "basic", Sources: []DemoSource{{Origin: authn.FromOperator}}, In: []string{"userinfo"}},
		},
		AccessToken: DemoToken{
			Raw:    "bm90LWEtdG9rZW4.bm90LWEtdG9rZW4tYnV0LWFzLWxvbmctYXMtb25lLW1pZ2h0LWJl.bm90LWEtc2lnbmF0dXJl",
			Header: "{\n  \"alg\": \"ES256\",\n  \"typ\": \"at+jwt\"\n}", Payload: "{\n  \"iss\": \"https://auth.example.com\"\n}",
			Verified: true, Expires: expires,
		},
		IDToken: DemoToken{
			Raw: "bm90LWEtdG9rZW4.bm90LWEtdG9rZW4.bm90LWEtc2lnbmF0dXJl", Header: "{\n  \"alg\": \"RS256\"\n}",
			Payload: "{\n  \"aud\": \"demo\"\n}", Expires: expires,
		},
		Refresh: DemoRefresh{
			Raw: "bm90LWEtdG9rZW4tYnV0LWFzLWxvbmctYXMtb25lLWlz.bm90LWEtdG9rZW4tYnV0LWFzLWxvbmctYXMtb25lLWlz", Expires: expires.AddDate(0, 0, 30),
			Renewed: true, Action: "/demo/refresh", Hidden: map[string]string{"token": "not-a-secret"},
		},
		Now:      expires.Add(-9*time.Minute - 30*time.Second),
		AgainURL: "/demo/?new=1", EverywhereURL: "/oauth2/logout", LogoutAction: "/demo/logout",
		Hidden: map[string]string{"token": "not-a-secret"},
	}
}
