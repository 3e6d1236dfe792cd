package caddymodule

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
)

// What browsers send when somebody opens an address.
const browserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

func TestM73_AdminLineageHasFourForms(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	for name, test := range map[string]struct{ path, accept, media, want string }{
		"a program":                {"", "", "application/json", `{"connections":[`},
		"curl":                     {"", "*/*", "application/json", `{"connections":[`},
		"a browser":                {"", browserAccept, "text/html; charset=utf-8", "<!doctype html>"},
		"JSON before HTML":         {"", "application/json, text/html;q=0.5", "application/json", `{"connections":[`},
		"HTML refused":             {"", "text/html;q=0, */*", "application/json", `{"connections":[`},
		"a quality of no sense":    {"", "text/html;q=many", "application/json", `{"connections":[`},
		"a browser that wants":     {"?format=json", browserAccept, "application/json", `{"connections":[`},
		"a program that wants":     {"?format=html", "application/json", "text/html; charset=utf-8", "<!doctype html>"},
		"Mermaid":                  {"?format=mermaid", browserAccept, "text/plain; charset=utf-8", "flowchart LR\n"},
		"DOT":                      {"?format=dot", "", "text/plain; charset=utf-8", "digraph lineage {\n"},
		"the way of an attribute":  {"?format=mermaid&attribute=teams", "", "text/plain; charset=utf-8", "flowchart LR\n"},
		"the page of a client":     {"?client=grafana", browserAccept, "text/html; charset=utf-8", "<!doctype html>"},
		"the page of a connection": {"?connection=partner", browserAccept, "text/html; charset=utf-8", "<!doctype html>"},
	} {
		resp, body := a.do(http.MethodGet, adminLineage+test.path, "Accept", test.accept)
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != test.media || !strings.HasPrefix(body, test.want) {
			t.Errorf("%s: %d %s: %.80s", name, resp.StatusCode, resp.Header.Get("Content-Type"), body)
		}
		if resp.Header.Get("Vary") != "Accept" || resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", name, resp.Header)
		}
	}
	for path, message := range map[string]string{
		"?format=svg":                  "must be one of: dot, html, json, mermaid",
		"?format=":                     "must be one of",
		"?format=dot&format=html":      "must be one of",
		"?format=dot&client=a&client=": "one question at a time",
		"?format=html&client=":         "parameter \\\"client\\\" is empty; give a value or leave it out",
		"?attribute=":                  "is empty",
		"?connection=":                 "is empty",
	} {
		if resp, body := a.do(http.MethodGet, adminLineage+path); resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, message) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	for _, format := range []string{"html", "mermaid", "dot"} {
		for _, unknown := range []string{"client=grafan", "attribute=none", "connection=none"} {
			if resp, _ := a.do(http.MethodGet, adminLineage+"?"+unknown+"&format="+format); resp.StatusCode != http.StatusNotFound {
				t.Errorf("%s with %s: %d", format, unknown, resp.StatusCode)
			}
		}
	}
}

func TestS43_LineagePageIsIsolated(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	resp, _ := a.do(http.MethodGet, adminLineage, "Accept", browserAccept)
	for header, want := range map[string]string{
		"Content-Security-Policy":      lineage.PagePolicy(),
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "same-origin",
		"X-Content-Type-Options":       "nosniff",
	} {
		if got := resp.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	for _, directive := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"} {
		if !strings.Contains(lineage.PagePolicy(), directive) {
			t.Errorf("the policy lacks %s", directive)
		}
	}
}

// Caddy answers a browser only if the request says where it comes from. So
// the policy about referrers decides whether the links of the page work.
func TestR63_LinksOfTheLineagePageWork(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	for referrer, want := range map[string]int{
		"http://" + a.address + adminLineage: http.StatusOK,
		"https://evil.example/":              http.StatusForbidden,
	} {
		resp, _ := a.do(http.MethodGet, adminLineage+"?client=grafana", "Accept", browserAccept, "Sec-Fetch-Mode", "navigate", "Referer", referrer)
		if resp.StatusCode != want {
			t.Errorf("from %s: %d, want %d", referrer, resp.StatusCode, want)
		}
	}
}

// TestS109_LineageFormsTellNoSecret looks for secrets in the pictures.
func TestS109_LineageFormsTellNoSecret(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	for _, query := range []string{"format=html", "format=html&client=grafana", "format=html&attribute=teams", "format=mermaid", "format=dot"} {
		_, body := a.do(http.MethodGet, adminLineage+"?"+query)
		for _, secret := range secrets(t, a) {
			if strings.Contains(body, secret) {
				t.Errorf("%s tells the secret %s", query, secret)
			}
		}
	}
}

// TestM65_PicturesAgree proves that the command draws from a file and from a
// server what the server itself draws.
func TestM65_PicturesAgree(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	if err := os.WriteFile("caddy.json", a.config(operated), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"mermaid", "dot", "html"} {
		for _, question := range [][2]string{{}, {"client", "gate:" + appHost}, {"attribute", "teams"}, {"connection", "partner"}} {
			args, query := []string{"lineage", "--format", format}, "?format="+format
			if question[0] != "" {
				args, query = append(args, "--"+question[0], question[1]), query+"&"+question[0]+"="+question[1]
			}
			asked, err := run(t, "", append(args, "--address", a.address)...)
			if err != nil {
				t.Fatalf("%v: %v", args, err)
			}
			read, err := run(t, "", append(args, "--config", "caddy.json")...)
			if err != nil {
				t.Fatalf("%v: %v", args, err)
			}
			if diff := cmp.Diff(asked, read); diff != "" {
				t.Errorf("%v (-server +file):\n%s", args, diff)
			}
			if _, drawn := a.do(http.MethodGet, adminLineage+query); format != "html" && drawn != read {
				t.Errorf("%v (-server's own +command's):\n%s", args, cmp.Diff(drawn, read))
			}
		}
	}
}

func TestLineageCommandRefusesFormats(t *testing.T) {
	operate(t)
	if err := os.WriteFile("Caddyfile", []byte(operated), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"lineage --format svg":                               `--format "svg" is unknown; use one of: text, json, mermaid, dot, html`,
		"lineage --format dot --client grafan":               `client "grafan" is not configured`,
		"lineage --format html --attribute none":             `attribute "none" is not configured`,
		"lineage --format dot --client=":                     `parameter "client" is empty`,
		"lineage --json --format dot":                        "contradict each other",
		"lineage --format html --client a --attribute teams": "one question at a time",
	} {
		if _, err := run(t, "", strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", args, err)
		}
	}
}
