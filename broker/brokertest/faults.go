package brokertest

import (
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Faults are what goes wrong at a tenant. The zero value is a tenant in
// good health. Functions get the document just before it is signed or sent
// and may change it in place; they may be called concurrently.
type Faults struct {
	// Down cuts every connection without an answer.
	Down bool

	// Endpoints says what goes wrong at a path, as "/oauth/token".
	Endpoints map[string]Failure

	// ClockOffset is how far the tenant's clock is wrong.
	ClockOffset time.Duration

	// IDToken and AccessToken are wrong in this way. A defect that has no
	// meaning for a token, as a nonce in an access token, changes nothing;
	// opaque access tokens have no defects.
	IDToken, AccessToken Defect

	// NoIDToken leaves the ID token out of token responses.
	NoIDToken bool

	// EditDiscovery changes the metadata: another issuer, plain http ...
	EditDiscovery func(document map[string]any)

	// EditIDToken, EditAccessToken and EditUserinfo change claims: odd
	// types, many kilobytes, another subject at userinfo ...
	EditIDToken, EditAccessToken, EditUserinfo func(claims map[string]any)

	// EditTokenResponse changes the answer of the token endpoint.
	EditTokenResponse func(response map[string]any)

	// EditCallback changes what the browser brings to the callback: no
	// state, code and error at once ...
	EditCallback func(params url.Values)
}

// SetFaults makes the tenant misbehave from the next request on, and makes
// it forget the faults it had.
func (t *Tenant) SetFaults(f Faults) { t.faults.set(f) }

// Heal ends all faults.
func (t *Tenant) Heal() { t.faults.set(Faults{}) }

// A faultBox holds the present faults and counts how often each failure
// has struck.
type faultBox struct {
	mu     sync.Mutex
	faults Faults
	struck map[string]int
}

func (b *faultBox) set(f Faults) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = f
	b.struck = make(map[string]int)
}

func (b *faultBox) get() Faults {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.faults
}

// failure returns what goes wrong at path this time.
func (b *faultBox) failure(path string) Failure {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.faults.Endpoints[path]
	if !ok || (f.Times > 0 && b.struck[path] >= f.Times) {
		return Failure{}
	}
	b.struck[path]++
	return f
}

func (b *faultBox) serve(w http.ResponseWriter, r *http.Request, now func() time.Time, next http.Handler) {
	if b.get().Down {
		panic(http.ErrAbortHandler)
	}
	b.failure(r.URL.Path).serve(w, r, now, next)
}

// edit lets a fault change a document, if there is one.
func edit(f func(map[string]any), document map[string]any) {
	if f != nil {
		f(document)
	}
}
