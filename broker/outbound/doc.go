// Package outbound is the one HTTP client for everything this module
// fetches: discovery, keys, tokens, userinfo, and whatever URL a client's
// registration or an operator's script names.
//
// Others choose many of these URLs, so the client trusts none of them:
//
//   - https with TLS 1.2 or newer, and certificates that verify;
//   - the address is judged after name resolution, at the moment of the
//     dial. A name that resolves to the cloud's metadata service, or that
//     changes between a check and its use, gets no connection;
//   - a time limit for the whole call and a size limit for the body;
//   - no redirects, no proxy from the environment, no compression.
//
// An operator opens private ranges on purpose, with the words of the
// "outbound" block; every refusal says which ones.
package outbound
