package broker_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// hostileTexts are what people call themselves to become somebody else.
var hostileTexts = map[string]string{
	"line break": marker + "\r\nRemote-User: admin", "carriage return": marker + "\rx", "line feed": "\n" + marker,
	"folded line": marker + "\r\n Remote-User: admin", "NUL": marker + "\x00admin", "tab": "\t" + marker,
	"escape sequence": "\x1b]0;" + marker + "\a", "delete": marker + "\x7f", "C1 control": marker + "\u0085x",
	"comma": marker + ",admin", "comma and space": "a, admin" + marker, "escaped comma": marker + "%2Cadmin", "only commas": ",,,",
	"quotes": `"` + marker + `", "admin'`, "percent": marker + "100%0d%0aX: y%", "semicolon": marker + "; Path=/; a=b",
	"words beyond ASCII": marker + "Zoë グループ 😀", "right to left": marker + "\u202enimda\u2066", "line separator": marker + "\u2028\u2029x",
	"byte order mark": "\ufeff" + marker, "overlong in percent": marker + "%c0%8d%c0%8a",
	"script": "<script>" + marker + "()</script>", "attribute": `"><img src=x onerror=` + marker + `()>`, "comment": "--><!--" + marker,
	"variable": "{env.SECRET}" + marker, "header placeholder": marker + "{http.request.header.X-Secret}", "file": "{file./etc/passwd}" + marker,
	"own placeholder": "{access_token}{claim.email}" + marker, "shell": "${SECRET}$(id)`id`" + marker, "template": `{{env "SECRET"}}{{.}}` + marker,
	"nested placeholder": "{{env.SECRET}}{" + marker + "}}", "broken placeholder": "{" + marker,
	"space before": " admin" + marker, "space behind": marker + " ", "spaces around": "  " + marker + "  ", "one space": " ",
	"path": "../../etc/" + marker, "object": `{"role":"admin","m":"` + marker + `"}`, "array": `["admin","` + marker + `"]`,
}

// decodeText is what an application does to a header of ours.
func decodeText(t testing.TB, value string) string {
	t.Helper()
	text, err := url.PathUnescape(value)
	if err != nil {
		t.Errorf("%q is not percent-encoded: %v", value, err)
	}
	return text
}

// decodeList splits first and decodes then. As many programs do, it takes
// white space around an element for layout.
func decodeList(t testing.TB, value string) (list []any) {
	t.Helper()
	for element := range strings.SplitSeq(value, ",") {
		list = append(list, decodeText(t, strings.TrimSpace(element)))
	}
	return list
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c < 0x20 || c == 0x7f })
}

// No text of a profile says more in a header than it does in a token: not a
// second header, not a second value, not another element, and nothing of the
// server's.
func TestR7_R8_R9_HeadersSayNoMoreThanTheClaims(t *testing.T) {
	t.Setenv("SECRET", "not-a-secret-of-the-environment")
	w := hostileWorld(t)
	for name, text := range hostileTexts {
		t.Run(name, func(t *testing.T) {
			w.report(t)
			list := []any{text, "staff", text}
			w.tell(map[string]string{
				"text": quoted(text), "list": encoded(t, list), "number": "9007199254740993",
				"object": encoded(t, map[string]any{"k": text, text: "v"}), "any": encoded(t, []any{text, []any{text, "x"}, map[string]any{"k": text}}),
			})
			a := w.arrive()
			w.wantPlainHeaders(a.header)
			eachOutput(func(out, _, kind string) {
				if kind == "text" || kind == "weak" || kind == "list" {
					w.wantSent(a, out, kind, hasControl(text))
				}
			})
			w.wantObjects(a, text)
		})
	}
	for _, log := range []string{marker, "not-a-secret-of-the-environment"} {
		if strings.Contains(w.logs.String(), log) {
			t.Errorf("the log has a value: %q", around(w.logs.String(), log))
		}
	}
}

// wantSent compares one header with the claim that it is made of.
func (w *world) wantSent(a arrival, out, kind string, dropped bool) {
	w.Helper()
	value, sent := a.header[headerOf(out)]
	if dropped {
		if sent {
			w.Errorf("%s: %q in spite of its control character", out, value)
		}
		if a.me[out] == nil {
			w.Errorf("%s is not at /.auth/me", out)
		}
		return
	}
	if !sent {
		w.Errorf("%s is missing", out)
		return
	}
	var got any = decodeText(w, value[0])
	if kind != "text" {
		got = decodeList(w, value[0])
	}
	if diff := cmp.Diff(a.me[out], got); diff != "" {
		w.Errorf("%s: %q means (-claim +header):\n%s", out, value[0], diff)
	}
}

// wantObjects looks at what JSON becomes: text that JSON reads again.
func (w *world) wantObjects(a arrival, text string) {
	w.Helper()
	for prefix := range sources {
		out := prefix + "_object"
		if value, sent := a.header[headerOf(out)]; sent {
			if diff := cmp.Diff(a.me[out], exact(w, decodeText(w, value[0]))); diff != "" {
				w.Errorf("%s: %q means (-claim +header):\n%s", out, value[0], diff)
			}
		} else if !strings.Contains(text, "\x7f") {
			w.Errorf("%s is missing", out)
		}
		out = prefix + "_any"
		value, sent := a.header[headerOf(out)]
		if !sent {
			if !hasControl(text) {
				w.Errorf("%s is missing", out)
			}
			continue
		}
		list := decodeList(w, value[0])
		if len(list) != 3 || list[0] != text {
			w.Fatalf("%s: %q means %q", out, value[0], list)
		}
		for i, element := range list[1:] {
			if diff := cmp.Diff(a.me[out].([]any)[i+1], exact(w, element.(string))); diff != "" {
				w.Errorf("%s: %q means (-claim +header):\n%s", out, value[0], diff)
			}
		}
	}
}

// wantPlainHeaders checks the form: one printable value for each name, and no
// names but ours and the browser's.
func (w *world) wantPlainHeaders(h http.Header) {
	w.Helper()
	known := map[string]bool{"Authorization": true, "X-Id-Token": true, "Remote-User": true, "Remote-Email": true, "Remote-Name": true, "Remote-Groups": true}
	eachOutput(func(out, _, _ string) { known[headerOf(out)] = true })
	for name, values := range h {
		if len(values) != 1 {
			w.Errorf("%s has %d values", name, len(values))
		}
		for _, c := range []byte(strings.Join(values, "")) {
			if c < 0x20 || c > 0x7e {
				w.Errorf("%s: %q", name, values)
				break
			}
		}
		if !known[name] && !strings.HasPrefix(name, "Sec-") && !strings.HasPrefix(name, "Accept") && name != "User-Agent" && name != "Upgrade-Insecure-Requests" && name != "Referer" {
			w.Errorf("the application gets %s: %q", name, values)
		}
	}
}

func encoded(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// around shows where part stands in text.
func around(text, part string) string {
	i := strings.Index(text, part)
	return text[max(0, i-200):min(len(text), i+200)]
}

// Where a value cannot be sent, what the visitor sends under the name must not
// take its place, however often.
func TestR7_DroppedHeaderLeavesNoRoomForTheVisitors(t *testing.T) {
	w := hostileWorld(t, idTokenOnly)
	w.tell(map[string]string{"text": quoted("a\r\nb"), "list": `["a", "b\u0000"]`, "any": quoted(strings.Repeat("x", 9<<10))})
	a := w.arrive()
	forged := http.Header{}
	eachOutput(func(out, _, _ string) {
		name := headerOf(out)
		forged[name] = []string{"forged", "forged,admin", "forged"}
		forged[strings.ToLower(strings.ReplaceAll(name, "-", "_"))] = []string{"forged"}
	})
	w.request(a.browser, forged)
	for name, values := range w.received().Header {
		if strings.Contains(strings.Join(values, ""), "forged") {
			t.Errorf("the application gets %s: %q", name, values)
		}
	}
}

// request sends a request to the gated site with the browser's cookies.
func (w *world) request(b *brokertest.Browser, h http.Header) {
	w.Helper()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", w.resolve["app.example.com"])
		},
		TLSClientConfig: &tls.Config{RootCAs: w.ca.Pool()},
	}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodGet, gatedSite+"/", nil)
	if err != nil {
		w.Fatal(err)
	}
	r.Header = h
	for _, c := range b.Cookies(gatedSite + "/") {
		r.AddCookie(c)
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		w.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		w.Fatalf("the gate answered %s", resp.Status)
	}
}

// The default headers are made of standard claims; these, too, are the
// user's own words.
func TestR9_DefaultHeadersOfAHostileUser(t *testing.T) {
	w := newWorld(t, options{gate: func(g *broker.GateConfig) { g.Scopes = []string{"openid", "profile", "email"} }})
	b := w.newBrowser()
	w.enter(b, "/", "hostile")
	h := w.received().Header
	for _, name := range []string{"Remote-Name", "Remote-Email"} {
		if values, sent := h[name]; sent {
			t.Errorf("%s: %q is sent in spite of its line break", name, values)
		}
	}
	var me struct{ Claims map[string]any }
	if err := b.Fetch(gatedSite + "/.auth/me").JSON(&me); err != nil {
		t.Fatal(err)
	}
	hostile, _ := w.tenant.User("hostile")
	for _, name := range []string{"name", "email", "nickname", "family_name", "given_name"} {
		if me.Claims[name] != hostile.Claims[name] {
			t.Errorf("/.auth/me: %s is %q, want %q", name, me.Claims[name], hostile.Claims[name])
		}
	}
}
