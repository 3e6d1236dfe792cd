// Package brokertest lets a set-up be tried without an Auth0 tenant and
// without a network: a stand-in tenant, a browser-like client and a clock
// that tests move by hand.
//
// A [Tenant] is an authorization server in Auth0's shape, quirks included:
// an issuer with a trailing slash, access tokens that only look like JWTs,
// "updated_at" as a string, "amr" only right after a second factor, errors
// with Auth0's words and status codes. It behaves well until [Faults] make
// it misbehave in one named way. It keeps everything in memory, signs with
// keys that live as long as the process, and its people are made up.
//
// A sign-in at the tenant is one transaction that moves through steps:
//
//	/authorize -> login page -> second factor -> consent page -> callback
//
// Steps that are not needed are left out: a live SSO session needs no login
// page, and so on. One function, Tenant.advance, looks at the transaction
// and decides which step is next; every page posts back into it.
//
// A [Browser] is one tab: it follows redirects, keeps cookies by the rules
// of RFC 6265bis, and sends and enforces what browsers send and enforce
// (Sec-Fetch headers, Origin, Referrer-Policy, CSP form-action). It dials
// loopback addresses only, under any host name a test wants.
//
//	tenant := brokertest.StartTLS(t, brokertest.Options{
//		Clients: []brokertest.Client{{
//			ID:        "gateway",
//			Secret:    "not-a-secret",
//			Callbacks: []string{"https://auth.example.com/oauth2/callback/auth0"},
//		}},
//	})
//	b := brokertest.NewBrowser(t, brokertest.BrowserOptions{
//		RootCAs: tenant.CA.Pool(),
//		Resolve: map[string]string{"app.example.com": "127.0.0.1:8443"},
//	})
//	b.Get("https://app.example.com/")
//	page := b.SignIn("ada")
//
// Nothing here is fit for production: the login page shows the passwords.
package brokertest
