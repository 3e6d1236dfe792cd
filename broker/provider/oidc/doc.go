// Package oidc is the connection to an OpenID Connect provider: the
// authorization code flow with PKCE, and the checks on everything that
// comes back.
//
// A Provider knows its issuer and learns the rest. Two documents are
// fetched on first use and kept: the metadata (discovery) and the keys
// (JWKS). Both are fetched once for everybody who waits, refreshed on use,
// and kept while the issuer is down, so that an outage stops neither the
// server's start nor, as far as keys go, a running sign-in.
//
// A sign-in keeps nothing here. Begin draws one random seed, derives the
// nonce and the PKCE verifier from it and hands it out as private state;
// Complete derives them again. The upstream's tokens exist only inside
// Complete: it returns the documents it read out of them, verified, and
// drops the tokens.
//
// The protocol libraries below are go-oidc, x/oauth2 and go-jose. Their
// gaps are closed here, one file each:
//
//	discovery.go  exact issuer, https endpoints, no failure kept for ever
//	keys.go       keys that age, one refetch for an unknown key, limits
//	header.go     what a token's header may say, before it is parsed
//	verify.go     every claim of an ID token, missing values too
//	exchange.go   the code posted exactly once; no body in an error
//	assertion.go  a client that proves itself by a key, to one issuer only
//	userinfo.go   the same subject, or no sign-in
package oidc
