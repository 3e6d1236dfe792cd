// Package ui draws the pages a visitor sees: those of a sign-in, which are
// chooser, consent, error, logout confirmation and signed-out; the portal,
// where people see and take back what they have granted; and the demo
// application, which shows what a client gets.
//
// The model: a caller fills a plain view struct and hands it to the method
// of the same name; the method owns everything the browser receives from
// there on, headers included. No page needs or contains JavaScript, none
// loads anything from another origin, and none may be framed.
//
// Three kinds of text meet on a page, and each has one rule.
//
//   - Our own words come from the catalogue of the visitor's language
//     (text.go, and portal_text.go and demo_text.go for the larger pages);
//     language.go picks it. Templates hold no words. Those about failures go
//     by the keys of a table (reasons.go). A caller picks a failure by key and cannot pass a
//     sentence: an error page that repeats text out of a URL lets anybody
//     put words into the operator's mouth.
//   - Names and descriptions (an application's name, a scope's display name,
//     the purpose of a request) may come from strangers. They are shown, but
//     as one cleaned and shortened line each (clean.go), so that they cannot
//     imitate the page around them.
//   - Addresses become links only after links.go agreed: http and https, or
//     a path of this origin. Anything else is shown as no link at all.
//
// Escaping is the work of html/template; the three rules above are about
// what remains dangerous when the escaping is perfect.
//
// An operator gives the pages a look (theme.go): a logo (logo.go), a colour
// (accent.go), rules of style and templates (overrides.go). None of it
// loosens anything. The policy in the headers stays the same; a colour is
// moved until everything can be read; and a template has to keep what the
// built-in one promises (promises.go), which is tried out on made-up content
// (samples.go, drafts.go) before the first visitor comes.
//
// Ids of elements are a contract with tests and automation, the same in every
// language; they are listed at the view structs.
package ui
