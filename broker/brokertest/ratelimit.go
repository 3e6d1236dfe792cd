package brokertest

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A limit is a token bucket: Auth0 allows a burst, then a steady rate.
type limit struct {
	name  string
	burst int
	every time.Duration // one more request per this time
}

var (
	keysLimit     = limit{"keys", 20, time.Second / 20}
	tokenLimit    = limit{"token", 30, time.Second / 30}
	userinfoLimit = limit{"userinfo", 10, time.Minute / 5}
)

const tooManyRequests = `{"error":"too_many_requests","error_description":"Global limit has been reached"}`

// A limiter keeps one bucket per limit and key.
type limiter struct {
	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	level float64
	at    time.Time
}

func newLimiter() *limiter { return &limiter{buckets: make(map[string]bucket)} }

// take spends one request and returns how many are left, or -1 if there
// was none to spend.
func (l *limiter) take(lim limit, key string, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := lim.name + "\x00" + key
	b, ok := l.buckets[name]
	if !ok {
		b = bucket{level: float64(lim.burst), at: now}
	}
	b.level = math.Min(float64(lim.burst), b.level+float64(now.Sub(b.at))/float64(lim.every))
	b.at = now
	left := -1
	if b.level >= 1 {
		b.level--
		left = int(b.level)
	}
	l.buckets[name] = b
	return left
}

// spend applies lim for key and says whether the request may go on; if not,
// it has been answered.
func (t *Tenant) spend(w http.ResponseWriter, lim limit, key string) bool {
	if !t.opts.RateLimits {
		return true
	}
	now := t.now()
	left := t.limits.take(lim, key, now)
	setRateLimit(w.Header(), lim.burst, max(left, 0), now.Add(lim.every))
	if left >= 0 {
		return true
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.Write([]byte(tooManyRequests))
	return false
}

// limited puts lim in front of h, for all callers together.
func (t *Tenant) limited(lim limit, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if t.spend(w, lim, "") {
			h(w, r)
		}
	}
}

// setRateLimit writes Auth0's headers; reset is in Unix seconds, rounded up.
func setRateLimit(h http.Header, limit, remaining int, reset time.Time) {
	h.Set("X-Ratelimit-Limit", strconv.Itoa(limit))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(remaining))
	h.Set("X-Ratelimit-Reset", strconv.FormatInt(reset.Add(time.Second-1).Unix(), 10))
}
