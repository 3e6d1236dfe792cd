package oidc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"
	"go.uber.org/zap"
)

// Ages of the key set. A key that the issuer removed, because it was
// stolen, is accepted for at most keysRevokedAfter while its endpoint
// works; while that is down, for at most keysDropAfter.
const (
	keysRefreshAfter = 5 * time.Minute
	keysRevokedAfter = 10 * time.Minute
	keysDropAfter    = 24 * time.Hour

	// missInterval is the least time between fetches for keys that are
	// not in the set.
	missInterval = 10 * time.Second
)

var (
	errUnknownKey = fmt.Errorf("%w: the provider has no key for it", errToken)
	errSignature  = fmt.Errorf("%w: the signature is wrong", errToken)
)

// A keySet verifies signatures with the issuer's current keys.
type keySet struct {
	cache      *cached[[]verificationKey]
	now        func() time.Time
	algorithms []string
	joseAlgs   []jose.SignatureAlgorithm

	mu       sync.Mutex
	lastMiss time.Time
}

func (p *Provider) newKeySet() *keySet {
	return &keySet{
		cache: &cached[[]verificationKey]{
			load: p.fetchKeys,
			now:  p.now,
			rand: p.rand,
			onFailure: func(err error) {
				p.log.Warn("refreshing provider keys failed, keeping the last", zap.Error(err))
			},
			refreshAfter: keysRefreshAfter,
			waitAfter:    keysRevokedAfter,
			dropAfter:    keysDropAfter,
		},
		now:        p.now,
		algorithms: p.cfg.Algorithms,
		joseAlgs:   p.algorithms(),
	}
}

func (p *Provider) fetchKeys(ctx context.Context) ([]verificationKey, error) {
	md, err := p.metadata.get(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := p.fetch(ctx, md.JWKSURI, "", maxJWKS)
	if err != nil {
		return nil, fmt.Errorf("fetching keys: %w", err)
	}
	keys, err := parseJWKS(doc.body)
	if err != nil {
		return nil, fmt.Errorf("reading keys: %w", err)
	}
	return keys, nil
}

// VerifySignature returns the payload of a compact JWS that one of the
// issuer's keys signed. Errors are errToken, or why there are no keys.
func (k *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	_, payload, err := k.verify(ctx, raw)
	return payload, err
}

// verify is VerifySignature with the header.
func (k *keySet) verify(ctx context.Context, raw string) (*header, []byte, error) {
	h, err := parseHeader(raw, k.algorithms)
	if err != nil {
		return nil, nil, err
	}
	jws, err := jose.ParseSignedCompact(raw, k.joseAlgs)
	if err != nil || len(jws.Signatures) != 1 {
		return nil, nil, fmt.Errorf("%w: not a compact JWS", errToken)
	}
	keys, err := k.cache.get(ctx)
	if err != nil {
		return nil, nil, err
	}
	payload, err := tryKeys(keys, jws, h)
	if errors.Is(err, errUnknownKey) && k.mayRefetch() {
		if keys, err = k.cache.reload(ctx); err != nil {
			return nil, nil, err
		}
		payload, err = tryKeys(keys, jws, h)
	}
	if err != nil {
		return nil, nil, err
	}
	return h, payload, nil
}

// mayRefetch grants one fetch for an unknown key, and then one per
// missInterval: tokens with made-up key ids cost nothing to make, and each
// would otherwise use up the issuer's rate limit for us (R56). The fetches
// of ageing keys do not count, so that a key made a moment after one of
// them is found at once.
func (k *keySet) mayRefetch() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if !k.lastMiss.IsZero() && now.Sub(k.lastMiss) < missInterval {
		return false
	}
	k.lastMiss = now
	return true
}

// tryKeys verifies with the keys that bear the header's kid. Without a kid
// every fitting key is tried: the specification allows that for a set of
// one key, and some providers leave it out with two.
//
// A known kid with a wrong signature is final. Without a kid, a miss may
// just as well be a new key.
func tryKeys(keys []verificationKey, jws *jose.JSONWebSignature, h *header) ([]byte, error) {
	known := false
	for i := range keys {
		key := &keys[i]
		if !key.fits(h.alg) || h.kid != "" && key.id != h.kid {
			continue
		}
		if payload, err := jws.Verify(key.public); err == nil {
			return payload, nil
		}
		known = h.kid != ""
	}
	if known {
		return nil, errSignature
	}
	return nil, errUnknownKey
}

var _ goidc.KeySet = (*keySet)(nil)
