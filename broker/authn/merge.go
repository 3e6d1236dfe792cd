package authn

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/claims"
)

// A Change is what a post-authentication script wants of a context.
type Change struct {
	// Attributes are merged by their top-level keys: a key replaces the
	// value whole, a nil removes it, other keys stay. Values are JSON as
	// package claims has it.
	Attributes map[string]any

	// AMR, ACR and IDPSubject replace those of the context unless nil. An
	// empty AMR or ACR removes it, an empty IDPSubject is an error.
	AMR        *[]string
	ACR        *string
	IDPSubject *string
}

// A ChangeError says why nothing of a change was applied. It may be shown to
// whoever made the change: it names an attribute and types, never a value.
type ChangeError struct {
	// Name is the attribute, as a path; cut to 100 characters.
	Name string
	// Problem says what is wrong with it and what is allowed.
	Problem string
	// Reason is the problem in one word, for lineage.
	Reason claims.Reason
}

// Error returns name and problem.
func (e *ChangeError) Error() string { return fmt.Sprintf("attribute %q: %s", e.Name, e.Problem) }

func changeError(name string, reason claims.Reason, format string, args ...any) *ChangeError {
	return &ChangeError{
		Name: cut(strings.ToValidUTF8(name, "\uFFFD")), Problem: fmt.Sprintf(format, args...), Reason: reason,
	}
}

// ApplyScript returns the context with the change of a script, and what was
// done. It never changes c, and applies a change whole or, with a
// *ChangeError, not at all; the trace then tells where it failed.
//
// Names must be in the schema, but need no mapping; types are strict.
// Reserved names among the attributes are passed over, so that a script may
// return the object it was given. Were they not, an upstream whose data the
// script copies could choose "sub" or "amr" (class of CVE-2024-29892).
//
// A verified flag goes with the value it was said of: when the value is
// removed, or replaced without a word on the flag, the flag is removed.
//
// A new IDPSubject means another person, so the Subject is cleared; the
// caller computes it anew. A new AMR or ACR is as old as the sign-in, or as
// what it replaces if that is older: by adding a method to an inherited
// second factor, a script must not make it look recent.
func (s *Schema) ApplyScript(c *Context, ch Change) (*Context, Trace, error) {
	m := newMerge(s, c, StageScript)
	if err := m.script(ch); err != nil {
		return nil, m.failed(err), err
	}
	return m.new, m.done(), nil
}

// A merge is one change on its way into a copy of the context.
type merge struct {
	schema   *Schema
	tree     *node
	stage    Stage
	old, new *Context

	reserved []string        // names that were passed over
	unpaired map[string]bool // flags that were removed
}

func newMerge(s *Schema, c *Context, stage Stage) *merge {
	m := &merge{schema: s, tree: s.tree(), stage: stage, old: c, new: c.Clone(), unpaired: make(map[string]bool)}
	if m.new.Attributes == nil {
		m.new.Attributes = make(map[string]any)
	}
	return m
}

func (m *merge) script(ch Change) *ChangeError {
	given := make(map[string]any, len(ch.Attributes))
	for _, key := range slices.Sorted(maps.Keys(ch.Attributes)) {
		if claims.Reserved(key) {
			m.reserved = append(m.reserved, key)
			continue
		}
		given[key] = ch.Attributes[key]
	}
	if err := bounded(given); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		leaves, err := m.leaves(key, given[key])
		if err != nil {
			return err
		}
		delete(m.new.Attributes, key)
		m.put(leaves)
	}
	m.pair(given)
	return m.identify(ch)
}

// identify applies what a script says outside the attributes.
func (m *merge) identify(ch Change) *ChangeError {
	if ch.AMR != nil {
		if err := m.setAMR(*ch.AMR); err != nil {
			return err
		}
	}
	if ch.ACR != nil {
		if err := m.setACR(*ch.ACR); err != nil {
			return err
		}
	}
	if ch.IDPSubject == nil || *ch.IDPSubject == m.old.IDPSubject {
		return nil
	}
	switch {
	case *ch.IDPSubject == "":
		return changeError("idp_sub", claims.TypeMismatch, "is empty; nobody could be told from anybody else")
	case !word(*ch.IDPSubject):
		return changeError("idp_sub", claims.TypeMismatch, wordProblem)
	}
	m.new.IDPSubject, m.new.Subject = *ch.IDPSubject, ""
	return nil
}

func (m *merge) put(leaves []leaf) {
	for _, l := range leaves {
		l.put(m.new.Attributes)
	}
}

// pair removes the verified flags that vouch for a value they were not said
// of. The attacker is whoever has a script or an application copy an address
// they typed in: with the flag of the old one, the broker would vouch for
// somebody else's mailbox.
func (m *merge) pair(given map[string]any) {
	for _, p := range claims.VerifiedPairs() {
		if _, flagged := m.new.Attributes[p.Flag]; !flagged {
			continue
		}
		value, present := m.new.Attributes[p.Value]
		told := given[p.Flag] != nil
		if !present || !told && !reflect.DeepEqual(value, m.old.Attributes[p.Value]) {
			delete(m.new.Attributes, p.Flag)
			m.unpaired[p.Flag] = true
		}
	}
	// The operator trusts the addresses of the upstream, and no other.
	if !reflect.DeepEqual(m.new.Attributes["email"], m.old.Attributes["email"]) {
		m.new.TrustEmail = false
	}
}

func (m *merge) setAMR(methods []string) *ChangeError {
	if len(methods) > maxMethods {
		return changeError("amr", claims.TypeMismatch, "has more than %d methods", maxMethods)
	}
	for _, method := range methods {
		if method == "" || !word(method) {
			return changeError("amr", claims.TypeMismatch, "has a method that is empty or "+wordProblem)
		}
	}
	switch {
	case slices.Equal(methods, m.old.AMR):
	case len(methods) == 0:
		m.new.AMR, m.new.AMRTime = nil, time.Time{}
	default:
		m.new.AMR, m.new.AMRTime = slices.Clone(methods), older(m.old.AuthTime, m.old.AMRTime)
	}
	return nil
}

func (m *merge) setACR(acr string) *ChangeError {
	switch {
	case !word(acr):
		return changeError("acr", claims.TypeMismatch, wordProblem)
	case acr == m.old.ACR:
	case acr == "":
		m.new.ACR, m.new.ACRTime = "", time.Time{}
	default:
		m.new.ACR, m.new.ACRTime = acr, older(m.old.AuthTime, m.old.ACRTime)
	}
	return nil
}

// older returns the earlier of two times, as far as they are known.
func older(authTime, before time.Time) time.Time {
	if before.IsZero() || authTime.Before(before) {
		return authTime
	}
	return before
}

// Bounds of amr, acr and idp_sub, far beyond what any provider sends: they
// go into every token.
const (
	maxMethods  = 32
	maxWord     = 1024 // bytes
	wordProblem = "is longer than 1024 bytes or invalid UTF-8"
)

// word reports whether s fits into a token and comes back from JSON as it
// was: two invalid texts could else become one person.
func word(s string) bool { return len(s) <= maxWord && utf8.ValidString(s) }
