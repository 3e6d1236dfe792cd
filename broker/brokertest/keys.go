package brokertest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// sharedKeys are the first signing keys of every tenant that does not ask
// for its own, each made when first used. See [Options.FreshKeys]. The last
// is in no tenant's key set: forged tokens are signed with it.
var sharedKeys = [...]func() *rsa.PrivateKey{
	sync.OnceValue(newKey), sync.OnceValue(newKey), sync.OnceValue(newKey), sync.OnceValue(newKey),
}

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("brokertest: making a signing key: " + err.Error())
	}
	return key
}

// keyRing holds the tenant's signing keys as Auth0 does: the key set always
// shows the next key too, and the previous one until it is revoked, so that
// a rotation takes no relying party by surprise.
type keyRing struct {
	fresh bool

	mu                      sync.Mutex
	made                    int
	previous, current, next *jose.JSONWebKey
}

func newKeyRing(fresh bool) *keyRing {
	k := &keyRing{fresh: fresh}
	k.current = k.make()
	k.next = k.make()
	return k
}

func (k *keyRing) make() *jose.JSONWebKey {
	var key *rsa.PrivateKey
	if !k.fresh && k.made < len(sharedKeys)-1 {
		key = sharedKeys[k.made]()
	} else {
		key = newKey()
	}
	k.made++
	return &jose.JSONWebKey{Key: key, KeyID: keyID(key), Algorithm: "RS256", Use: "sig"}
}

// keyID is made of the key itself: equal keys have equal identifiers.
func keyID(key *rsa.PrivateKey) string {
	jwk := jose.JSONWebKey{Key: key.Public()}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		panic("brokertest: naming a signing key: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(sum)[:21]
}

func (k *keyRing) rotate() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.previous, k.current, k.next = k.current, k.next, k.make()
}

func (k *keyRing) revoke() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.previous = nil
}

func (k *keyRing) signing() *jose.JSONWebKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current
}

func (k *keyRing) public() jose.JSONWebKeySet {
	k.mu.Lock()
	defer k.mu.Unlock()
	var set jose.JSONWebKeySet
	for _, key := range []*jose.JSONWebKey{k.current, k.next, k.previous} {
		if key != nil {
			set.Keys = append(set.Keys, key.Public())
		}
	}
	return set
}

// Rotate makes the next key the signing key, as the button "Rotate Signing
// Key" does. The previous one stays in the key set until [Tenant.RevokeKey].
func (t *Tenant) Rotate() { t.keys.rotate() }

// RevokeKey takes the previous signing key out of the key set.
func (t *Tenant) RevokeKey() { t.keys.revoke() }

func (t *Tenant) serveKeys(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400")
	writeJSON(w, http.StatusOK, t.keys.public())
}

// random returns n random bytes as text that fits URLs and cookies.
func (t *Tenant) random(n int) string {
	b := make([]byte, n)
	if _, err := io.ReadFull(t.opts.Rand, b); err != nil {
		panic(fmt.Sprintf("brokertest: reading %d random bytes: %v", n, err))
	}
	return base64.RawURLEncoding.EncodeToString(b)
}
