package broker_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// withGrace is offline with another refresh_grace.
func withGrace(grace time.Duration) options {
	o, config := offline(), offline().config
	o.config = func(w *world, c *broker.Config) {
		config(w, c)
		c.RefreshGrace = &grace
	}
	return o
}

func TestS56_S122_WithinTheGraceTheSameSuccessorAgain(t *testing.T) {
	w := newWorld(t, offline())
	h := w.keep("ada", "other")
	used := h.refresh
	w.renew(&h)
	for range 3 {
		w.clock.Advance(3 * time.Second)
		status, again := w.refresh(h, used)
		if status != http.StatusOK || again["refresh_token"] != h.refresh {
			t.Fatalf("%d %v, want the successor", status, again)
		}
		if status, _ := w.userinfo(again["access_token"].(string)); status != http.StatusOK {
			t.Errorf("userinfo: %d", status)
		}
	}
	w.wantGood(&h)
}

// The attacker has copied a refresh token and uses it, before or after its
// owner does. Whoever comes second shows that there are two.
func TestS56_ReuseEndsTheFamily(t *testing.T) {
	for name, tt := range map[string]struct {
		options options
		spoil   func(w *world, h *holder) string
	}{
		"after the grace": {offline(), func(w *world, h *holder) string {
			used := h.refresh
			w.renew(h)
			w.clock.Advance(10 * time.Second)
			return used
		}},
		"at once without a grace": {withGrace(0), func(w *world, h *holder) string {
			used := h.refresh
			w.renew(h)
			return used
		}},
		"within the grace, but after its successor": {offline(), func(w *world, h *holder) string {
			used := h.refresh
			w.renew(h)
			w.renew(h)
			return used
		}},
		"one that was never issued": {offline(), func(_ *world, h *holder) string {
			family, _, _ := strings.Cut(h.refresh, ".")
			return family + "." + store.NewSecret()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.options)
			h, bystander := w.keep("ada", "other"), w.keep("ada", "notes")
			first := h
			reused := tt.spoil(w, &h)
			if status, body := w.refresh(h, reused); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
				t.Errorf("the reuse: %d %v", status, body)
			}
			w.wantDead(h)
			w.wantDead(first)
			w.wantGood(&bystander)
			if !strings.Contains(w.logs.String(), `"msg":"refresh_token_reused"`) {
				t.Error("no event")
			}
		})
	}
}

// R24: a token that another client shows brings nothing, and its owner loses
// nothing.
func TestR24_RefreshTokensAreBoundToTheirClient(t *testing.T) {
	w := newWorld(t, offline())
	for _, names := range [][2]string{{"notes", "other"}, {"other", "notes"}} {
		h, thief := w.keep("ada", names[0]), w.keep("grace", names[1])
		used := h.refresh
		w.renew(&h)
		for _, token := range []string{h.refresh, used} {
			if status, body := w.refresh(thief, token); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
				t.Errorf("%v: %d %v", names, status, body)
			}
		}
		w.wantGood(&h)
		w.wantGood(&thief)
	}
	h := w.keep("ada", "notes")
	for name, tt := range map[string]struct {
		changes []string
		want    string
	}{
		"wrong secret":      {[]string{"client_secret", "wrong"}, "invalid_client"},
		"no secret":         {[]string{"client_secret", ""}, "invalid_client"},
		"no token":          {[]string{"refresh_token", ""}, "invalid_grant"},
		"no refresh token":  {[]string{"refresh_token", h.access}, "invalid_grant"},
		"half of a token":   {[]string{"refresh_token", h.refresh[:43]}, "invalid_grant"},
		"an unknown family": {[]string{"refresh_token", store.NewSecret() + "." + store.NewSecret()}, "invalid_grant"},
	} {
		if status, body := w.refresh(h, h.refresh, tt.changes...); body["error"] != tt.want || status/100 != 4 {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
	w.wantGood(&h)
}

func TestS57_ScopeOnlyNarrows(t *testing.T) {
	w := newWorld(t, offline())
	h := w.keep("ada", "notes", "scope", "openid email offline_access")
	for _, wider := range []string{"openid profile", "openid email offline_access list_clients_with_access", "no-such-scope"} {
		if status, body := w.refresh(h, h.refresh, "scope", wider); status != http.StatusBadRequest || body["error"] != "invalid_scope" {
			t.Errorf("%q: %d %v", wider, status, body)
		}
	}
	status, narrow := w.refresh(h, h.refresh, "scope", "email")
	if status != http.StatusOK || narrow["scope"] != "email" || narrow["id_token"] != nil || payload(t, narrow["access_token"])["scope"] != "email" {
		t.Errorf("narrower: %d %v", status, narrow)
	}
	h.refresh = narrow["refresh_token"].(string)
	if tokens := w.renew(&h); tokens["scope"] != "openid email offline_access" || tokens["id_token"] == nil {
		t.Errorf("the next one has lost scopes: %v", tokens)
	}

	t.Run("R28: what the configuration has taken away", func(t *testing.T) {
		o := offline()
		o.client = func(c *oauth.Client) { c.Scopes = []string{"openid", "offline_access"} }
		w.newBroker(o)
		if tokens := w.renew(&h); tokens["scope"] != "openid offline_access" {
			t.Errorf("%v", tokens)
		}
		if status, body := w.refresh(h, h.refresh, "scope", "openid email"); body["error"] != "invalid_scope" {
			t.Errorf("%d %v", status, body)
		}
		o.client = func(c *oauth.Client) { c.Scopes = []string{"openid", "email"} }
		w.newBroker(o)
		if status, body := w.refresh(h, h.refresh); body["error"] != "invalid_grant" {
			t.Errorf("without offline_access: %d %v", status, body)
		}
		o.client = func(c *oauth.Client) {
			offline().client(c)
			c.Grants = []string{oauth.GrantAuthorizationCode}
		}
		w.newBroker(o)
		if status, body := w.refresh(h, h.refresh); body["error"] != "unauthorized_client" {
			t.Errorf("without the grant: %d %v", status, body)
		}
		w.newBroker(offline())
		w.wantGood(&h)
	})
}

// rotations counts the writes that change a family.
type rotations struct {
	store.Store
	n atomic.Int32
}

func (r *rotations) Swap(ctx context.Context, key string, old, value []byte, ttl time.Duration) error {
	err := r.Store.Swap(ctx, key, old, value, ttl)
	if err == nil && old != nil && strings.HasPrefix(key, "refresh/") && !bytes.Equal(old, value) {
		r.n.Add(1)
	}
	return err
}

func TestS114_OneOfManyUsesRotates(t *testing.T) {
	w := newWorld(t, options{})
	counted := &rotations{Store: w.store}
	w.store = counted
	w.newBroker(offline())
	h := w.keep("ada", "other")
	var mu sync.Mutex
	successors := map[any]int{}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			status, tokens := w.refresh(h, h.refresh)
			mu.Lock()
			defer mu.Unlock()
			if status != http.StatusOK {
				t.Errorf("%d %v", status, tokens)
			}
			successors[tokens["refresh_token"]]++
		})
	}
	wg.Wait()
	if len(successors) != 1 || counted.n.Load() != 1 {
		t.Fatalf("%d successors by %d rotations", len(successors), counted.n.Load())
	}
	for token := range successors {
		h.refresh = token.(string)
	}
	w.renew(&h)
}

func TestS56_RefreshTokensEndAtTheAbsoluteTime(t *testing.T) {
	w := newWorld(t, offline())
	h := w.keep("ada", "other")
	for range 29 {
		w.clock.Advance(24 * time.Hour)
		w.renew(&h)
	}
	w.clock.Advance(24*time.Hour - time.Second)
	tokens := w.renew(&h)
	if left := tokens["refresh_token_expires_in"]; left == nil || left.(interface{ String() string }).String() != "1" {
		t.Errorf("left %v", left)
	}
	w.clock.Advance(2 * time.Second)
	if status, body := w.refresh(h, h.refresh); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("after 30 days: %d %v", status, body)
	}
}

// Nothing that is kept or logged is a refresh token, or becomes one by being
// read: not even to somebody who has the sealing key.
func TestS56_NoTokenAtRestOrInLogs(t *testing.T) {
	w := newWorld(t, offline())
	h := w.keep("ada", "notes")
	seen := strings.Split(h.refresh, ".")
	for range 3 {
		used := h.refresh
		w.renew(&h)
		_, again := w.refresh(h, used)
		_, secret, _ := strings.Cut(again["refresh_token"].(string), ".")
		seen = append(seen, secret)
	}
	w.clock.Advance(time.Minute)
	w.refresh(h, strings.Join(seen[:2], ".")) // a reuse, which is logged
	kept, logged := w.dump(), w.logs.String()
	for _, secret := range seen {
		if strings.Contains(kept, secret) {
			t.Errorf("kept: %s…", secret[:6])
		}
		if strings.Contains(logged, secret) {
			t.Errorf("logged: %s…", secret[:6])
		}
	}
}
