// Package oauth is the wire vocabulary of OAuth 2.0 and OpenID Connect:
// requests, errors, scopes, clients and the rules that compare redirect
// URIs and code verifiers. It does no I/O and keeps no state, so that every
// rule can be read, tested and fuzzed without a server.
package oauth
