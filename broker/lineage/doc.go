// Package lineage tells where the data of a client comes from, and who gets
// the data of an upstream, from the configuration alone: nobody needs to
// have signed in.
//
// A [Graph] has the six stages of a value as nodes, left to right:
//
//	connection -> attribute -> mapping -> context attribute -> claim -> client
//
// Two stations beside that line may fill the context, too: a connection's
// post-authentication script and its application. A client is a registered
// one or a gated site, which gets its claims in tokens and headers.
//
// [Graph.What] answers "what does this client get, and from where",
// [Graph.Who] "who gets this attribute". Both tell of what is not delivered
// why, in the words of package claims, and what to write to have it
// delivered. [Graph.Warnings] are the dead ends that nobody wants.
//
// [Graph.Text], [Graph.Mermaid], [Graph.DOT] and [Page] show the graph. The
// last three are one drawing in three languages, which each names its nodes
// by itself and writes a foreign name as nothing but text. [Graph.Through]
// leaves of the graph the ways of one attribute or one client.
//
// Nothing here decides. The graph asks the very code of the sign-in: a
// trial run of [claims.Mapper] says whether a mapping can ever fill its
// target, and [claims.Explain] whether a token may carry a claim. So what
// lineage says and what happens cannot drift apart.
//
// A static graph knows what can arrive, not what will: an upstream may leave
// a value out, a person may withhold a scope. Why it did not arrive in one
// sign-in is in the trace of package authn, which [SignInPage] shows.
package lineage
