// Package op is the OpenID Provider: the endpoints of the broker and the
// sign-in behind them.
//
// A sign-in is one record, the login, that only moves forward. One
// dispatcher looks at it and picks the next step: choose a connection, sign
// in upstream, visit the post-authentication application, consent, issue a
// code. A step ends by returning to the dispatcher or by sending the browser
// to the client, as the answer to the consent page does. A step proves that
// it was its turn with a one-time value bound to the browser, so steps cannot
// be skipped, repeated or mixed between two tabs.
//
//	/oauth2/authorize -> dispatch -> [/oauth2/login]  choose  -> dispatch
//	                              -> upstream
//	/oauth2/callback/{connection} -> dispatch -> [application]
//	/oauth2/resume                -> dispatch -> [/oauth2/consent] -> code or denial
//	                              -> code to the client
//
// While the browser is at the application, its back end talks to us about
// the login:
//
//	/post-authn/{login_id}, …/complete, …/abort
//
// Until the upstream has answered, the login waits sealed in a cookie:
// sign-ins that nobody finishes cost the server nothing. Afterwards it holds
// personal data and is a record in the store.
package op
