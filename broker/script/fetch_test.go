package script

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/outbound"
)

// respond returns a client that answers everything alike.
func respond(status int, text string) *http.Client {
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{"X-Test": {"a", "b"}, "Location": {"https://evil.example/"}},
			Body: io.NopCloser(strings.NewReader(text)), Request: r,
		}, nil
	})}
}

// calling returns a configuration whose script may call crm.example.com.
func calling(client *http.Client, text string) Config {
	cfg := patient(body(text))
	cfg.AllowHosts, cfg.Client = []string{"crm.example.com"}, client
	return cfg
}

func returned(t *testing.T, cfg Config) string {
	t.Helper()
	out, _, err := compiled(t, cfg).Run(t.Context(), Input{})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ACR
}

func TestM78_FetchCallsAListedHost(t *testing.T) {
	var got struct{ method, path, kind, token, text string }
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got.method, got.path, got.text = r.Method, r.URL.String(), string(text)
		got.kind, got.token = r.Header.Get("Content-Type"), r.Header.Get("Authorization")
		w.Header().Set("X-Plan", "gold")
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"id": 7, "name": "Ada €"}`)
	}))
	defer server.Close()
	cfg := patient(body(`
const r = await fetch("` + server.URL + `/users?q=1", {
  method: "post", body: JSON.stringify({ sub: context.idp_sub }),
  headers: { "Content-Type": "application/json", authorization: "Bearer " + context.secrets.key },
});
const { name } = await r.json();
return { acr: JSON.stringify([r.status, r.ok, r.headers.get("X-PLAN"), r.headers.get("none"), r.headers.has("x-plan"), name, (await r.text()).length]) };`))
	cfg.Secrets = map[string]string{"key": "not-a-secret"}
	cfg.AllowHosts = []string{strings.TrimPrefix(server.URL, "https://")}
	cfg.Client = loopback(server, netip.MustParsePrefix("127.0.0.0/8"))
	out, _, err := compiled(t, cfg).Run(t.Context(), Input{IDPSubject: "auth0|1"})
	if err != nil {
		t.Fatal(err)
	}
	if want := `[201,true,"gold",null,true,"Ada €",26]`; *out.ACR != want {
		t.Errorf("got %s, want %s", *out.ACR, want)
	}
	want := struct{ method, path, kind, token, text string }{"POST", "/users?q=1", "application/json", "Bearer not-a-secret", `{"sub":"auth0|1"}`}
	if got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// loopback returns the broker's client, trusting server and with the
// addresses opened that are given.
func loopback(server *httptest.Server, allow ...netip.Prefix) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return outbound.New(outbound.Config{TrustedRoots: roots, Allow: allow}).HTTP()
}

// R64: a script's call reaches the metadata service of the cloud, or the
// services of this machine, if only the name in its URL is judged.
func TestR64_FetchReachesNoInnerAddress(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ host, url, want string }{
		// The operator's list names the host, the address is refused still.
		"this machine":   {u.Host, server.URL, "(loopback)"},
		"by name":        {"localhost:" + u.Port(), "https://localhost:" + u.Port(), "(loopback)"},
		"mapped":         {"[::ffff:127.0.0.1]:" + u.Port(), "https://[::ffff:127.0.0.1]:" + u.Port(), "(loopback)"},
		"cloud metadata": {"169.254.169.254", "https://169.254.169.254/latest/meta-data/", "(link-local)"},
		"a private net":  {"10.0.0.1", "https://10.0.0.1/", "(private)"},

		"another host":        {"crm.example.com", "https://evil.example.com/", `\"evil.example.com\" is not among allow_hosts`},
		"a subdomain":         {"crm.example.com", "https://a.crm.example.com/", "is not among allow_hosts"},
		"a parent":            {"crm.example.com", "https://example.com/", "is not among allow_hosts"},
		"a longer name":       {"crm.example.com", "https://crm.example.com.evil.example/", "is not among allow_hosts"},
		"a rooted name":       {"crm.example.com", "https://crm.example.com./", "is not among allow_hosts"},
		"another port":        {"crm.example.com", "https://crm.example.com:8443/", "is not among allow_hosts"},
		"the default port":    {"crm.example.com:8443", "https://crm.example.com/", "is not among allow_hosts"},
		"in user information": {"crm.example.com", "https://crm.example.com@evil.example/", "user information"},
		"with a password":     {"crm.example.com", "https://a:b@crm.example.com/", "user information"},
		"a backslash":         {"crm.example.com", `https://evil.example\\@crm.example.com/`, "cannot be read"},
		"plain http":          {"crm.example.com", "http://crm.example.com/", `\"http\" is not https`},
		"http on port 443":    {"crm.example.com", "http://crm.example.com:443/", `\"http\" is not https`},
		"a file":              {"crm.example.com", "file:///etc/passwd", "cannot be read"},
		"a file of a host":    {"crm.example.com", "file://crm.example.com/etc/passwd", `\"file\" is not https`},
		"relative":            {"crm.example.com", "/x", "cannot be read"},
		"opaque":              {"crm.example.com", "https:crm.example.com", "cannot be read"},
		"no URL":              {"crm.example.com", "", "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := patient(body(`try { await fetch("` + tt.url + `"); } catch (e) { return { acr: JSON.stringify(String(e)) }; } return { acr: "called" };`))
			cfg.AllowHosts, cfg.Client = []string{tt.host}, loopback(server)
			if got := returned(t, cfg); !strings.Contains(got, tt.want) || !strings.Contains(got, "TypeError: fetch: ") {
				t.Errorf("got %s, want it to contain %s", got, tt.want)
			}
		})
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the server was asked %d times", n)
	}
}

// The host that answers must not choose the next one.
func TestR64_RedirectsAreNotFollowed(t *testing.T) {
	for name, client := range map[string]*http.Client{
		"any client":   respond(302, ""),
		"a lax client": {Transport: respond(302, "").Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			got := returned(t, calling(client, `const r = await fetch("https://crm.example.com/"); return { acr: r.status + " " + r.ok + " " + r.headers.get("location") };`))
			if want := "302 false https://evil.example/"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	server := httptest.NewTLSServer(http.RedirectHandler("https://evil.example/", http.StatusFound))
	defer server.Close()
	cfg := calling(loopback(server, netip.MustParsePrefix("127.0.0.0/8")), `return { acr: String((await fetch("`+server.URL+`")).status) };`)
	cfg.AllowHosts = []string{strings.TrimPrefix(server.URL, "https://")}
	if got := returned(t, cfg); got != "302" {
		t.Errorf("got %s", got)
	}
}

func TestFetchRefusesWhatItCannotSend(t *testing.T) {
	sent := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s %s was sent", r.Method, r.URL)
		return nil, io.EOF
	})}
	for arguments, want := range map[string]string{
		`{ methd: "POST" }`:                                                   "unknown option methd; the options are method, headers and body",
		`{ method: "TRACE" }`:                                                 "unknown method",
		`{ method: "GET x HTTP/1.1\r\n" }`:                                    "unknown method",
		`{ body: "x" }`:                                                       "GET has no body",
		`{ method: "POST", body: { a: 1 } }`:                                  "body must be a string; use JSON.stringify",
		`{ headers: { Host: "x" } }`:                                          "the header Host cannot be set",
		`{ headers: { "content-length": 1 } }`:                                "the header Content-Length cannot be set",
		`{ method: "POST", body: "x".repeat(1048577) }`:                       "the request is larger than 1048576 bytes",
		`{ headers: { a: "x".repeat(1048577) } }`:                             "the request is larger than 1048576 bytes",
		`{ get method() { throw new TypeError("mine"); } }`:                   "mine",
		`{ headers: { a: { toString() { throw new TypeError("mine"); } } } }`: "mine",
	} {
		t.Run(arguments, func(t *testing.T) {
			got := returned(t, calling(sent, `try { await fetch("https://crm.example.com/", `+arguments+`); } catch (e) { return { acr: String(e) }; }`))
			if !strings.Contains(got, want) || !strings.HasPrefix(got, "TypeError: ") {
				t.Errorf("got %s, want it to contain %q", got, want)
			}
		})
	}
	t.Run("a header that splits the request", func(t *testing.T) {
		cfg := calling(&http.Client{}, `try { await fetch("https://crm.example.com/", { headers: { a: "b\r\nc: not-a-value" } }); } catch (e) { return { acr: String(e) }; }`)
		if got := returned(t, cfg); !strings.Contains(got, "invalid header field value") || strings.Contains(got, "not-a-value") {
			t.Errorf("got %s", got)
		}
	})
}

func TestS102_CallsAreBoundedInNumber(t *testing.T) {
	var asked atomic.Int32
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked.Add(1)
		return respond(200, "").Transport.RoundTrip(r)
	})}
	s := compiled(t, calling(client, `
const calls = Array.from({ length: 7 }, () => fetch("https://crm.example.com/"));
return { acr: (await Promise.allSettled(calls)).map((c) => c.status === "fulfilled" ? "ok" : c.reason.message).join() };`))
	for i := range 2 {
		out, _, err := s.Run(t.Context(), Input{})
		if err != nil {
			t.Fatal(err)
		}
		if want := "ok,ok,ok,ok,ok,fetch: a run has 5 calls,fetch: a run has 5 calls"; *out.ACR != want {
			t.Errorf("run %d: got %s", i, *out.ACR)
		}
	}
	if n := asked.Load(); n != 10 {
		t.Errorf("%d calls in two runs", n)
	}
}

func TestS102_CallsAreBoundedInSize(t *testing.T) {
	for size, want := range map[int]string{
		maxResponse:     "1048576",
		maxResponse + 1: "TypeError: fetch: crm.example.com sent more than 1048576 bytes",
	} {
		got := returned(t, calling(respond(200, strings.Repeat("x", size)), `
try { return { acr: String((await (await fetch("https://crm.example.com/")).text()).length) }; } catch (e) { return { acr: String(e) }; }`))
		if got != want {
			t.Errorf("%d bytes: got %s, want %s", size, got, want)
		}
	}
}

// An answer that finds no memory left must be an exception in the script,
// not a value that the engine never made.
func TestS131_AnswersThatDoNotFitIntoMemory(t *testing.T) {
	cfg := calling(respond(200, strings.Repeat("€", maxResponse/3)), `
globalThis.a = [];
const answer = fetch("https://crm.example.com/");
try { for (;;) a.push("x".repeat(1 << 16)); } catch {}
a.length -= 2;
try { await answer; } catch (e) { a = null; throw e; }`)
	failed(t, inLittle(t, cfg), KindMemory)
}

// stalled answers when the caller gives up.
var stalled = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
})}

func TestS102_CallsAreBoundedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := calling(stalled, `try { await fetch("https://crm.example.com/?key=" + context.secrets.key); } catch (e) { return { acr: String(e) }; }`)
		cfg.Timeout, cfg.Wait, cfg.Secrets = 0, 0, map[string]string{"key": "k"}
		out, report, err := compiled(t, cfg).Run(t.Context(), Input{})
		if err != nil {
			t.Fatal(err)
		}
		if want := "TypeError: fetch: crm.example.com gave no answer within 1s"; *out.ACR != want || report.Duration != time.Second {
			t.Errorf("got %s after %v", *out.ACR, report.Duration)
		}
	})
}

func TestS102_WaitingIsBoundedInSum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := calling(stalled, `for (let i = 0; i < 5; i++) try { await fetch("https://crm.example.com/"); } catch {} return { acr: "through" };`)
		cfg.Timeout, cfg.Wait = 0, 0
		s := compiled(t, cfg)
		_, report, err := s.Run(t.Context(), Input{})
		if failed(t, err, KindTimeout); report.Duration != DefaultWait || report.Running >= DefaultTimeout {
			t.Errorf("ended after %v, %v of it running", report.Duration, report.Running)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		_, report, err = s.Run(ctx, Input{})
		if failed(t, err, KindCancelled); report.Duration != 500*time.Millisecond {
			t.Errorf("ended after %v", report.Duration)
		}
	})
}

// A run that waits for an answer must not keep others from running, or five
// slow answers would stop every sign-in.
func TestS105_WaitingTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine()
		e.turns = make(semaphore, 1)
		compile := func(cfg Config) *Script {
			s, err := e.Compile(cfg)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		slow := compile(calling(stalled, `await fetch("https://crm.example.com/").catch(() => {}); return { acr: "slow" };`))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if _, _, err := slow.Run(t.Context(), Input{}); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		_, report, err := compile(patient(body(""))).Run(t.Context(), Input{})
		if err != nil || report.Duration != 0 {
			t.Errorf("%v after %v", err, report.Duration)
		}
		<-ended
	})
}

// What a script does not wait for ends with its run.
func TestCallsEndWithTheirRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cancelled := make(chan time.Time, 1)
		client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			cancelled <- time.Now()
			return nil, r.Context().Err()
		})}
		began := time.Now()
		if got := returned(t, calling(client, `fetch("https://crm.example.com/"); return { acr: "x" };`)); got != "x" {
			t.Errorf("got %s", got)
		}
		if ended := <-cancelled; ended != began {
			t.Errorf("ended %v later", ended.Sub(began))
		}
	})
}

func TestR57_APanickingTransportIsARejectedCall(t *testing.T) {
	client := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { panic("not for users") })}
	got := returned(t, calling(client, `try { await fetch("https://crm.example.com/"); } catch (e) { return { acr: String(e) }; }`))
	if want := "TypeError: fetch: the call failed"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A cookie jar would carry one user's session at the called host into the
// next user's run.
func TestCallsShareNoCookies(t *testing.T) {
	client := respond(200, "")
	client.Jar = jar{t}
	returned(t, calling(client, `await fetch("https://crm.example.com/"); return { acr: "x" };`))
}

type jar struct{ t *testing.T }

func (j jar) SetCookies(*url.URL, []*http.Cookie) { j.t.Error("a cookie was kept") }
func (j jar) Cookies(*url.URL) []*http.Cookie     { j.t.Error("a cookie was sent"); return nil }

func TestAllowHostsSpellings(t *testing.T) {
	for word, want := range map[string]string{
		"crm.example.com": "crm.example.com:443", "CRM.Example.com:8443": "crm.example.com:8443",
		"192.0.2.1": "192.0.2.1:443", "[2001:db8::1]:444": "[2001:db8::1]:444",
	} {
		if got, err := hostPort(word); got != want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", word, got, err, want)
		}
	}
}

func TestBrokenAnswersAreExceptions(t *testing.T) {
	got := returned(t, calling(respond(200, "<html>"), `
const r = await fetch(new String("https://crm.example.com/"));
try { await r.json(); } catch (e) { return { acr: e.name + " " + r.headers.get("x-test") + " " + r.headers.get("__proto__") + r.headers.has("constructor") }; }`))
	if want := "SyntaxError a, b nullfalse"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var number json.Number = "9007199254740993"
	out, _, err := compiled(t, calling(respond(200, "{}"), `await fetch("https://crm.example.com/"); return { authn_ctx: context.authn_ctx };`)).
		Run(t.Context(), Input{Attributes: map[string]any{"id": number}})
	if err != nil || cmp.Diff(map[string]any{"id": number}, out.Attributes) != "" {
		t.Errorf("%v, %v", out, err)
	}
}

// A slow host that one connection asks must not stop the sign-ins of the
// others: its runs wait, and keep their places while they do.
func TestS105_SlowHostLeavesPlacesToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		e := NewEngine()
		slow, err := e.Compile(calling(silent, `await fetch("https://crm.example.com/");`))
		if err != nil {
			t.Fatal(err)
		}
		other, err := e.Compile(patient(body(``)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		for range 2 * maxRuns {
			go slow.Run(ctx, Input{})
		}
		synctest.Wait()
		began := time.Now()
		if _, _, err := other.Run(t.Context(), Input{}); err != nil || time.Since(began) > 0 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		cancel()
		synctest.Wait()
		if len(slow.share) != 0 || len(e.runs) != 0 {
			t.Errorf("%d shares and %d places are left", len(slow.share), len(e.runs))
		}
	})
}

// An author who has not named the hosts hears what to write.
func TestFetch_WithoutHostsNamesTheCure(t *testing.T) {
	script := compiled(t, Config{Source: body(`await fetch("https://crm.example.com/");`)})
	_, _, err := script.Run(t.Context(), Input{})
	if err == nil || !strings.Contains(err.Error(), "by allow_hosts") {
		t.Errorf("error %v", err)
	}
}
