package oidc

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/provider"
)

func (i *issuer) rotate(signer testKey, published ...testKey) {
	i.with(func() { i.signer, i.published = signer, published })
}

// Auth0 publishes the next key beforehand: a rotation needs no fetch.
func TestRotationToAPublishedKey(t *testing.T) {
	s := newSetup(t, nil)
	s.issuer.published = []testKey{rsaKey(), otherRSA()}
	s.mustSignIn(t)
	s.issuer.rotate(otherRSA(), rsaKey(), otherRSA())
	s.mustSignIn(t)
	if n := s.issuer.count(pathKeys); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

// A key that appears a moment after a fetch is found at once: the interval
// between fetches must not block the first one (R56, §1.8).
func TestRotationToAnUnknownKey(t *testing.T) {
	s := newSetup(t, nil)
	s.mustSignIn(t)
	s.issuer.rotate(otherRSA(), otherRSA())
	s.mustSignIn(t)
	if n := s.issuer.count(pathKeys); n != 2 {
		t.Errorf("%d fetches, want 2", n)
	}
	// A second rotation within the interval waits for its end.
	s.issuer.rotate(ecKey(), ecKey())
	s.refused(t, provider.ReasonIDTokenInvalid)
	s.pass(missInterval)
	s.mustSignIn(t)
}

// A stolen key is taken out of the set; go-oidc's own set would trust it
// for ever, and trust in it must end while nobody else rotates anything.
func TestS81_RemovedKeyIsRefused(t *testing.T) {
	s := newSetup(t, nil)
	s.issuer.published = []testKey{rsaKey(), otherRSA()}
	s.mustSignIn(t)
	s.issuer.rotate(rsaKey(), otherRSA())
	s.pass(10 * time.Minute)
	s.refused(t, provider.ReasonIDTokenInvalid)
}

// Anyone can make tokens with made-up key ids. Each would cost a fetch, and
// soon the issuer would limit us.
func TestR56_UnknownKeysDoNotFlood(t *testing.T) {
	s := newSetup(t, nil)
	s.mustSignIn(t)
	claims := object{"iss": s.issuer.id}
	head := encode(object{"alg": "RS256", "kid": "%"})
	rest := strings.TrimPrefix(rsaKey().jwt(nil, claims), head)
	rest = rest[strings.IndexByte(rest, '.'):]

	before := s.issuer.count(pathKeys)
	for n := range 10000 {
		if n%5000 == 4999 {
			s.pass(missInterval) // twice
		}
		token := encode(object{"alg": "RS256", "kid": fmt.Sprint("made-up-", n)}) + rest
		if _, err := s.keys.VerifySignature(t.Context(), token); err == nil {
			t.Fatal("accepted")
		}
	}
	if n := s.issuer.count(pathKeys) - before; n > 3 {
		t.Errorf("%d fetches for 10 000 tokens in three intervals, want at most 3", n)
	}
}

func TestR56_UnknownKeysInParallel(t *testing.T) {
	s := newSetup(t, nil)
	s.mustSignIn(t)
	before := s.issuer.count(pathKeys)
	token := otherRSA().jwt(nil, object{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { s.keys.VerifySignature(t.Context(), token) })
	}
	wg.Wait()
	if n := s.issuer.count(pathKeys) - before; n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

// A forged signature under a known key id is no reason to fetch anything.
func TestR56_BadSignaturesDoNotFetch(t *testing.T) {
	s := newSetup(t, nil)
	s.mustSignIn(t)
	before := s.issuer.count(pathKeys)
	for range 50 {
		s.keys.VerifySignature(t.Context(), otherRSA().named("rsa-1").jwt(nil, object{}))
	}
	if n := s.issuer.count(pathKeys) - before; n != 0 {
		t.Errorf("%d fetches, want none", n)
	}
}

// Sign-ins go on while the key endpoint is down, for a day, and whatever it
// answers does not replace good keys.
func TestS128_OldKeysWhileTheEndpointFails(t *testing.T) {
	faults := map[string]http.HandlerFunc{
		"503":        func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) },
		"HTML":       func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>maintenance</html>") },
		"empty set":  func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"keys":[]}`) },
		"empty body": func(w http.ResponseWriter, r *http.Request) {},
		"5 MB":       func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 5<<20)) },
		"redirect":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) },
		"cut off": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"keys":[`)
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			s := newSetup(t, nil)
			s.mustSignIn(t)
			s.issuer.serve(pathKeys, fault)
			s.pass(23 * time.Hour)
			s.mustSignIn(t)
			if s.logs.FilterMessageSnippet("keys failed").Len() != 1 {
				t.Error("the outage is not in the log")
			}
			s.pass(time.Hour)
			id, err := s.signIn(t, s.request())
			e := wantReason(t, id, err, reasonOf(err))
			if e.Reason != provider.ReasonUnreachable && e.Reason != provider.ReasonMisconfigured {
				t.Errorf("after a day: got %v, want the endpoint's failure", e)
			}
			s.issuer.heal(pathKeys)
			s.pass(maxBackoff)
			s.mustSignIn(t)
		})
	}
}

func reasonOf(err error) provider.Reason {
	if e, ok := errors.AsType[*provider.Error](err); ok {
		return e.Reason
	}
	return ""
}

// Keys missing for the first sign-in is the provider's failure, not the
// token's, and heals alone.
func TestKeysDownAtFirstUse(t *testing.T) {
	s := newSetup(t, nil)
	s.issuer.fail(pathKeys, 503, "")
	e := s.refused(t, provider.ReasonUnreachable)
	wantText(t, e.Error(), "fetching keys", "503")
	s.issuer.heal(pathKeys)
	s.pass(minBackoff)
	s.mustSignIn(t)
}

func TestTokenWithoutKeyID(t *testing.T) {
	noKid := object{"kid": nil}
	t.Run("one key", func(t *testing.T) {
		s := newSetup(t, nil)
		s.issuer.header = noKid
		s.mustSignIn(t)
	})
	t.Run("several keys", func(t *testing.T) {
		s := newSetup(t, nil)
		s.issuer.header = noKid
		s.issuer.published = []testKey{ecKey(), otherRSA(), rsaKey()}
		s.mustSignIn(t)
	})
	t.Run("a key that is not published", func(t *testing.T) {
		s := newSetup(t, nil)
		s.issuer.header = noKid
		s.issuer.published = []testKey{ecKey(), otherRSA()}
		s.refused(t, provider.ReasonIDTokenInvalid)
	})
	t.Run("keys without ids, rotated", func(t *testing.T) {
		s := newSetup(t, nil)
		s.issuer.rotate(rsaKey().named(""), rsaKey().named(""))
		s.mustSignIn(t)
		s.issuer.rotate(otherRSA().named(""), otherRSA().named(""))
		s.mustSignIn(t)
	})
}

// Two keys under one id, as some providers have while they rotate.
func TestKeysThatShareAnID(t *testing.T) {
	s := newSetup(t, nil)
	s.issuer.rotate(rsaKey().named("same"), otherRSA().named("same"), ecKey().named("same"), rsaKey().named("same"))
	s.mustSignIn(t)
}
