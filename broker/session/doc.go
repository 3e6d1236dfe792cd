// Package session keeps who is signed in where.
//
// An SSO session is a browser's relation to the broker; a gate session is
// its relation to one gated site. Both are server-side records; a browser
// holds an opaque handle, and a record is named after the handle's hash, so
// a copy of the store signs nobody in.
//
// Where the context cache of a connection is on, an SSO session also has the
// context of its last sign-in there. Such a record can answer a request; the
// session by itself signs nobody in again.
//
// Every record of an SSO session lies below one prefix, its public id (the
// "sid" of ID tokens), which each handle begins with. So one logout finds
// and ends them all, without an index that could lag behind.
package session
