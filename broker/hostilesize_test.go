package broker_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// manyGroups is a list as directories have them.
func manyGroups(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"grp-%05d"`, i)
	}
	return "[" + strings.TrimPrefix(b.String(), ",") + "]"
}

// A hundred kilobytes of claims sign in, reach the client by ID token and
// userinfo, and stay readable at the gate, which leaves out the headers that
// they would burst, and only those.
func TestS5_OversizeValues(t *testing.T) {
	for name, values := range map[string]map[string]string{
		"160 KB text":     {"text": quoted(strings.Repeat("é", 80<<10))},
		"10,000 elements": {"list": manyGroups(10_000)},
		"10,000 members":  {"object": "{" + strings.Trim(strings.ReplaceAll(manyGroups(10_000), `",`, `":1,`), "[]") + ":1}"},
		"just too long":   {"text": quoted(strings.Repeat("x", 8<<10+1))},
		"after encoding":  {"text": quoted(strings.Repeat("%", 3<<10))},
		"after all":       {"list": `["` + strings.Repeat("a", 4<<10) + `","` + strings.Repeat("b", 4<<10) + `"]`},
	} {
		t.Run(name, func(t *testing.T) {
			w := hostileWorld(t, idTokenOnly, oneSource("id"))
			w.tell(values)
			began := time.Now()
			a := w.arrive()
			t.Logf("client and gate took %v", time.Since(began))
			for kind, value := range values {
				out := "id_" + kind
				for where, got := range map[string]map[string]any{"ID token": a.id, "userinfo": a.userinfo, "/.auth/me": a.me} {
					if encoded(t, got[out]) != encoded(t, exact(t, value)) {
						t.Errorf("%s: %s is not what was sent: %.100v", where, out, got[out])
					}
				}
				if h, sent := a.header[headerOf(out)]; sent {
					t.Errorf("%s: %d bytes are sent", headerOf(out), len(h[0]))
				}
			}
			if !strings.Contains(w.logs.String(), "the value is longer than 8192 bytes") {
				t.Error("the log does not tell which header is missing")
			}
			w.wantPlainHeaders(a.header)
			w.wantUntouched(a)
			if got := a.header.Get("Remote-Email"); got != "mallory@example.com" || a.header.Get("Authorization") == "" {
				t.Errorf("Remote-Email %q, Authorization %q", got, a.header.Get("Authorization"))
			}
			for name, value := range a.header {
				if len(value[0]) > 8<<10 {
					t.Errorf("%s has %d bytes", name, len(value[0]))
				}
			}
			w.checkBrowser(a.browser)
		})
	}
}

// oneSource leaves the attributes of the other documents out.
func oneSource(prefix string) func(*options) {
	return configured(func(_ *world, c *broker.Config) {
		p := &c.Connections[0].Pipeline
		kept := p.Mappings[:0:0]
		for _, m := range p.Mappings {
			other, _, custom := strings.Cut(m.From, "_")
			if _, known := sources[other]; !custom || !known || other == prefix {
				kept = append(kept, m)
			}
		}
		p.Mappings = kept
	})
}

// What fits is sent to the last byte.
func TestS5_EightKiBAreSent(t *testing.T) {
	w := hostileWorld(t, idTokenOnly, oneSource("id"))
	w.tell(map[string]string{"text": quoted(strings.Repeat("x", 8<<10))})
	if got := len(w.arrive().header.Get(headerOf("id_text"))); got != 8<<10 {
		t.Errorf("%d bytes", got)
	}
}

// An access token that no server would take is refused in words, to the
// client and to the operator, rather than issued. The gate goes on without.
func TestS5_AccessTokenTooLarge(t *testing.T) {
	w := hostileWorld(t)
	w.tell(map[string]string{"text": quoted(strings.Repeat(marker, 3_000))})
	a := arrival{browser: w.newBrowser()}
	code := w.authorize(a.browser, hostileUser).Get("code")
	status, body := w.exchange(code)
	description, _ := body["error_description"].(string)
	if status != http.StatusInternalServerError || body["error"] != "server_error" || body["access_token"] != nil || body["id_token"] != nil {
		t.Fatalf("token endpoint: %d %.300v", status, body)
	}
	_, trace, _ := strings.Cut(strings.TrimSuffix(description, ")"), "trace ")
	logs := w.logs.String()
	if trace == "" || !strings.Contains(logs, trace) || !strings.Contains(logs, "access token is too large") || strings.Contains(logs, marker) {
		t.Errorf("the log does not tell of %q", trace)
	}
	if status, body := w.exchange(code); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("the code again: %d %v", status, body)
	}
	w.enterGate(&a)
	if a.header.Get("Authorization") != "" || a.header.Get("X-Id-Token") != "" || len(a.header.Get("Remote-User")) != 64 {
		t.Errorf("the application gets %v", a.header)
	}
	if got, _ := a.me["id_text"].(string); len(got) != 3_000*len(marker) {
		t.Errorf("/.auth/me has %d bytes", len(got))
	}
}

// More than an upstream may say ends the sign-in, and nothing else.
func TestS100_AnswersBeyondTheLimit(t *testing.T) {
	for name, value := range map[string]string{
		"600 KB":        quoted(strings.Repeat("x", 600<<10)),
		"11,000 levels": `"` + strings.Repeat("x", 10) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			w := hostileWorld(t)
			w.tell(map[string]string{"text": value})
			if name == "11,000 levels" {
				deep := strings.Repeat("[", 11_000) + strings.Repeat("]", 11_000)
				w.tenant.SetFaults(userinfoAnswer(`{"sub":"auth0|hostile","https://example.com/any":` + deep + `}`))
			}
			b := w.newBrowser()
			answer := w.authorize(b, hostileUser)
			if answer.Has("code") || answer.Get("error") != "temporarily_unavailable" {
				t.Errorf("%v", answer)
			}
			if b.Cookie(issuer, "__Host-auth_broker_sso") != nil {
				t.Error("an SSO session began")
			}
			w.tenant.Heal()
			if answer := w.authorize(w.newBrowser(), "ada"); !answer.Has("code") {
				t.Errorf("the next person: %v", answer)
			}
		})
	}
}

// A document can be as deep as a decoder takes it. Inside a record of ours the
// same value would be too deep: every later page of this browser would fail.
func TestR57_DeepestDocument(t *testing.T) {
	w := hostileWorld(t, idTokenOnly, configured(func(_ *world, c *broker.Config) { c.Connections[0].ContextCache = time.Hour }))
	w.tell(map[string]string{"text": quoted("here")})
	deep := strings.Repeat("[", 9_998) + strings.Repeat("]", 9_998)
	w.tenant.SetFaults(userinfoAnswer(`{"sub":"auth0|hostile","https://example.com/any":` + deep + `}`))
	a := w.arrive()
	if a.id["id_text"] != "here" || a.id["userinfo_any"] != nil {
		t.Errorf("text %v, and %.50v", a.id["id_text"], a.id["userinfo_any"])
	}
	if !strings.Contains(w.logs.String(), "array of more than 1000 levels") {
		t.Error("the log does not tell")
	}
}

// A large context in the cache answers as a small one does.
func TestM34_LargeContextInTheCache(t *testing.T) {
	w := hostileWorld(t, idTokenOnly, oneSource("id"), configured(func(_ *world, c *broker.Config) { c.Connections[0].ContextCache = time.Hour }))
	w.tell(map[string]string{"list": manyGroups(10_000)})
	b := w.newBrowser()
	for range 3 {
		status, tokens := w.exchange(w.authorize(b, hostileUser).Get("code"))
		if status != http.StatusOK {
			t.Fatalf("%d %v", status, tokens)
		}
		if got := w.verify(tokens["id_token"])["id_list"].([]any); len(got) != 10_000 {
			t.Errorf("%d elements", len(got))
		}
	}
	if n := w.authorizations(); n != 1 {
		t.Errorf("the tenant was asked %d times", n)
	}
	w.checkBrowser(b)
}

// Ten times the groups cost twelve times the memory traffic at most, from the
// upstream's answer to the headers. What takes quadratic time over texts and
// lists copies them, so this sees it without a clock.
func TestS104_WorkGrowsWithTheInput(t *testing.T) {
	asObject := func(n int) string {
		return "{" + strings.Trim(strings.ReplaceAll(manyGroups(n), `",`, `":1,`), "[]") + ":1}"
	}
	nothing := ""
	filter := `module.exports = async (c) => ({ authn_ctx: { id_any: c.authn_ctx.id_list.filter((g) => g.endsWith("7")) } })`
	for _, test := range []struct {
		kind, script string
		value        func(int) string
	}{
		{"list", nothing, manyGroups},
		{"list", filter, manyGroups},
		{"text", nothing, func(n int) string { return quoted(strings.Repeat("é%,\u0001", n)) }},
		{"object", nothing, asObject},
		{"any", nothing, func(n int) string { return strings.ReplaceAll(manyGroups(n), `"grp`, `{"a":["b"]},"grp`) }},
	} {
		w := hostileWorld(t, idTokenOnly, oneSource("id"), withScript(test.script))
		cost := func(n int) float64 {
			w.tell(map[string]string{test.kind: test.value(n)})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w.arrive()
			runtime.ReadMemStats(&after)
			return float64(after.TotalAlloc - before.TotalAlloc)
		}
		cost(1) // and what is made once
		base := cost(1)
		small, large := cost(400)-base, cost(4_000)-base
		t.Logf("%s: %.0f kB, for ten times as much %.0f kB", test.kind, small/1e3, large/1e3)
		if small <= 0 || large > 12*small {
			t.Errorf("%s: %.1f times the work for ten times the input", test.kind, large/small)
		}
	}
}

// userinfoAnswer replaces the answer of the userinfo endpoint.
func userinfoAnswer(body string) brokertest.Faults {
	return brokertest.Faults{Endpoints: map[string]brokertest.Failure{"/userinfo": {Status: http.StatusOK, Body: body}}}
}
