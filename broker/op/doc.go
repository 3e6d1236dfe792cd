// Package op is the OpenID Provider: the endpoints of the broker and the
// sign-in behind them.
//
// A sign-in is one record, the login (login.go), that only moves forward. One
// dispatcher (authorize.go) looks at it and picks the next step:
//
//  1. choose a connection (choose.go, domains.go, remember.go)
//  2. take the context that the browser has from an earlier sign-in
//     (contextcache.go), or sign in upstream (upstream.go) and run the
//     connection's script (script.go)
//  3. visit the post-authentication application (postauthn.go)
//  4. check what the client demanded of the sign-in, and keep the context
//     for the next one (contextcache.go)
//  5. consent (consent.go), also to claims asked for one by one
//     (claimsparameter.go)
//  6. issue a code (code.go)
//
// A step ends by returning to the dispatcher or by sending the browser to the
// client, as the answer to the consent page does. A step proves that it was
// its turn with a one-time value bound to the browser, so steps cannot be
// skipped, repeated or mixed between two tabs.
//
//	/oauth2/authorize -> dispatch -> [/oauth2/login]  choose  -> dispatch
//	                              -> upstream
//	/oauth2/callback/{connection} -> dispatch -> [application]
//	/oauth2/resume                -> dispatch -> [/oauth2/consent] -> code or denial
//	                              -> code to the client
//
// While the browser is at the application, its back end talks to us about
// the login (postauthn_api.go, postauthn_verdict.go):
//
//	/post-authn/{login_id}, …/complete, …/abort
//
// Until the upstream has answered, the login waits sealed in a cookie:
// sign-ins that nobody finishes cost the server nothing. Afterwards it holds
// personal data and is a record in the store.
//
// A provider that is down is marked on the chooser (health.go): what the last
// sign-ins there have shown makes the mark, and a check in the background when
// somebody looks takes it away. A mark forbids nothing. A sign-in that cannot
// begin goes back to the chooser, unless there is no other choice: then the
// client hears of it (fallback.go). A sign-in that is lost,
// in a tab of yesterday say, ends on a page that leads back to the application
// it was for (wayback.go).
//
// A code becomes tokens (token.go). One that was granted offline_access begins
// a family of refresh tokens (refresh.go, refreshgrant.go): one record, whose
// last token brings the next. Access tokens name their record by their jti, and
// it names the family, so one deletion ends all, and whether a token is good is
// one question (userinfo.go), which introspection asks, too (introspect.go).
// What the user takes back (withdraw.go) is asked for at each use, before and
// after the token is spent; what a client gives back is gone (revocation.go).
//
//	/oauth2/token, /oauth2/introspect, /oauth2/revoke
//
// Users take back through a client that they let do so, by a token of theirs
// (withdraw.go), or through the portal, for which apps.go puts together what
// each client has. Administrators do it for many users at once
// (withdrawals.go). To revoke everything (revoke.go) ends sessions, codes and
// tokens of a user, and leaves the consents.
//
//	/oauth2/clients, /oauth2/clients/{client}, …/scopes/{scope}, /oauth2/tokens
//
// Signing out is a page of its own (logout.go): it ends the browser's session
// with all that hangs on it.
//
// When a sign-in ends, what became of the person's data is kept for the
// operator who is asked why a claim is missing: names, types and reasons, and
// no value (tracerecord.go, tracestore.go, traceexplain.go). The values of the
// sign-ins that follow are kept only while an administrator has a window open
// (values.go, valueskeep.go), in memory, for 15 minutes at most, and without
// what could unlock something (valuesredact.go). Whoever is shown them leaves
// a line in the log (signin.go).
package op
