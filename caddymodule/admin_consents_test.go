package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/consent"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/session"
)

// consents are the lines of an export.
func (a *admin) consents(query string) (out []consent.Record) {
	a.Helper()
	resp, body := a.do(http.MethodGet, adminConsents+query)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != mediaJSONLines || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		a.Fatalf("GET %s: %d %v %s", query, resp.StatusCode, resp.Header, body)
	}
	for line := range strings.Lines(body) {
		var r consent.Record
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&r); err != nil {
			a.Fatalf("line %q: %v", line, err)
		}
		out = append(out, r)
	}
	return out
}

// What differs from run to run in the answers.
var varying = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z`)

// TestM92_M94_CommandsAboutUsers runs the transcript testdata/admin/users.txt
// against a server where ada has signed in. SUB and SESSION in it stand for
// hers.
func TestM92_M94_CommandsAboutUsers(t *testing.T) {
	v := visit(t)
	v.signIn()
	subject := v.consents("")[0].Subject
	var sessions []session.UserSession
	v.get(adminSessions+"?subject="+subject, &sessions)
	if len(sessions) != 1 {
		t.Fatalf("sessions %+v", sessions)
	}
	in := strings.NewReplacer("SUB", subject, "SESSION", sessions[0].SID)
	file := filepath.Join("testdata", "admin", "users.txt")
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for line := range strings.Lines(string(want)) {
		command, found := strings.CutPrefix(line, "$ caddy auth-broker ")
		if !found {
			continue
		}
		shown, err := v.command(strings.Fields(in.Replace(command))...)
		shown = strings.ReplaceAll(strings.ReplaceAll(shown, subject, "SUB"), sessions[0].SID, "SESSION")
		shown = varying.ReplaceAllString(strings.ReplaceAll(shown, v.address, "ADDRESS"), "TIME")
		if got.Len() > 0 {
			got.WriteByte('\n')
		}
		got.WriteString(line + aligned(shown))
		if err != nil {
			got.WriteString("exit 1\n")
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("transcript (-want +got):\n%s", diff)
	}
}

// aligned makes the columns of what had longer names in it as wide as ever.
func aligned(text string) string { return regexp.MustCompile(` {3,}`).ReplaceAllString(text, "  ") }

// Every change is one line in the log, with what was done and to whom.
func TestS94_S106_ChangesAreInTheLog(t *testing.T) {
	v := visit(t)
	v.signIn()
	subject := v.consents("")[0].Subject
	for _, test := range []struct{ method, path, want string }{
		{http.MethodDelete, adminConsents + "?client=gate:app.example.com&subject=" + subject, `"event":"consents_withdrawn","subject":"` + subject + `","client":"gate:app.example.com","scopes":[],"grants":2,"users":1,"clients":1}`},
		{http.MethodDelete, adminSessions + "?subject=" + subject, `"event":"tokens_revoked","sessions":1}`},
		{http.MethodGet, adminConsents, `"status":200,"lines":0}`},
	} {
		before := len(v.logs())
		if resp, body := v.do(test.method, test.path); resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", test.path, resp.StatusCode, body)
		}
		var lines []string
		for line := range strings.Lines(v.logs()[before:]) {
			if strings.Contains(line, `"msg":"admin_called"`) {
				lines = append(lines, line)
			}
		}
		if len(lines) != 1 || !strings.Contains(lines[0], test.want) {
			t.Errorf("%s %s: %q, want %s", test.method, test.path, lines, test.want)
		}
	}
}

// What an administrator withdraws ends at the gate with the next request.
func TestM94_AdminEndsTheGateSession(t *testing.T) {
	v := visit(t)
	for name, path := range map[string]string{
		"the consents of a user": adminConsents + "?subject=", "all of a client": adminConsents + "?client=gate:" + appHost,
		"the sessions of a user": adminSessions + "?subject=",
	} {
		v.signIn()
		if page := v.browser.Get("https://" + appHost + "/data"); page.Status != http.StatusOK || page.URL.Host != appHost {
			t.Fatalf("%s: not signed in: %d %s", name, page.Status, page.URL)
		}
		if strings.HasSuffix(path, "=") {
			path += v.consents("")[0].Subject
		}
		if resp, body := v.do(http.MethodDelete, path); resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", name, resp.StatusCode, body)
		}
		if page := v.browser.Fetch("https://" + appHost + "/data"); page.Status != http.StatusUnauthorized {
			t.Errorf("%s: the gate answers %d", name, page.Status)
		}
	}
}

func TestS107_AdminChangesRefuseWhatIsUnclear(t *testing.T) {
	operate(t)
	a := newAdmin(t, operated)
	for _, test := range []struct {
		method, path string
		status       int
		want         string
	}{
		{http.MethodDelete, adminConsents, http.StatusBadRequest, "whose consents? Name a user by subject, a client by client, or both"},
		{http.MethodDelete, adminConsents + "?subject=", http.StatusBadRequest, `parameter "subject" is empty; give a value or leave it out`},
		{http.MethodDelete, adminConsents + "?subject=ada&client=", http.StatusBadRequest, `parameter "client" is empty`},
		{http.MethodDelete, adminConsents + "?subject=ada&subject=bob", http.StatusBadRequest, `parameter "subject" is given twice; keep one`},
		{http.MethodDelete, adminConsents + "?subject=ada&scope=email", http.StatusBadRequest, `parameter "scope" needs a client`},
		{http.MethodDelete, adminConsents + "?user=ada", http.StatusBadRequest, `parameter "user" is unknown; use one of: subject, client, scope`},
		{http.MethodDelete, adminConsents + "?client=grafan", http.StatusNotFound, `client "grafan" is not configured, and no consent to it is kept; did you mean "grafana"?`},
		{http.MethodDelete, adminConsents + "?client=grafana&scope=emial", http.StatusNotFound, `scope "emial" of client "grafana" is not configured; its scopes are: openid profile email teams`},
		{http.MethodGet, adminConsents + "?client=", http.StatusBadRequest, `parameter "client" is empty`},
		{http.MethodGet, adminConsents + "?client=a&client=b", http.StatusBadRequest, `parameter "client" is given twice`},
		{http.MethodGet, adminConsents + "?withdrawn=maybe", http.StatusBadRequest, `parameter "withdrawn" must be true or false`},
		{http.MethodGet, adminSessions, http.StatusBadRequest, "whose sessions? Name the user by subject"},
		{http.MethodDelete, adminSessions, http.StatusBadRequest, "whose sessions? Name the user by subject"},
		{http.MethodDelete, adminSessions + "?sid=x", http.StatusBadRequest, "whose sessions?"},
		{http.MethodDelete, adminSessions + "?subject=ada&sid=", http.StatusBadRequest, `parameter "sid" is empty`},
		{http.MethodDelete, adminSessions + "?subject=ada&sid=none", http.StatusNotFound, "the user has no such session; it may have ended"},
		{http.MethodDelete, adminWindow + "?for=1m", http.StatusBadRequest, `parameter "for" is unknown; there are none here`},
		{http.MethodDelete, adminConsents + "?client=%zz", http.StatusBadRequest, "the query cannot be read"},
	} {
		resp, body := a.do(test.method, test.path)
		var answer struct{ Error string }
		if err := json.Unmarshal([]byte(body), &answer); err != nil || resp.StatusCode != test.status || !strings.HasPrefix(answer.Error, test.want) {
			t.Errorf("%s %s: %d %s, want %d %s", test.method, test.path, resp.StatusCode, body, test.status, test.want)
		}
	}
	t.Run("a page of another site", func(t *testing.T) {
		r, err := http.NewRequest(http.MethodDelete, "http://"+a.address+adminConsents+"?client=grafana", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if status, _, err := respond(r); status != http.StatusForbidden {
			t.Errorf("%d %v", status, err)
		}
	})
	t.Run("no broker", func(t *testing.T) {
		a.load(a.config("{\n}\nexample.com {\n}\n"))
		for method, path := range map[string]string{http.MethodDelete: adminSessions + "?subject=ada", http.MethodPost: adminWindow, http.MethodGet: adminConsents} {
			if resp, body := a.do(method, path); resp.StatusCode != http.StatusNotFound || !strings.Contains(body, "no broker runs here") {
				t.Errorf("%s %s: %d %s", method, path, resp.StatusCode, body)
			}
		}
	})
}

// An export that breaks off must not look complete.
func TestM92_CutExportIsAnError(t *testing.T) {
	var out bytes.Buffer
	lines := `{"client_id":"web","subject":"a` + "\u202e" + `"}` + "\n" + `{"client_id":`
	if err := showConsents(&out, strings.NewReader(lines)); err == nil {
		t.Error("no error")
	}
	if text := out.String(); !strings.Contains(text, "a\ufffd") || strings.Contains(text, "\u202e") {
		t.Errorf("shown: %q", text)
	}
	failure := errors.New("no store")
	broken := func(yield func(any, error) bool) { _ = yield(1, nil) && yield(nil, failure) }
	rec := httptest.NewRecorder()
	if begun, err := (&adminAnswer{lines: broken}).write(rec); !begun || !errors.Is(err, failure) {
		t.Errorf("begun %t, %v", begun, err)
	}
	rec = httptest.NewRecorder()
	at := func(yield func(any, error) bool) { yield(nil, failure) }
	if begun, err := (&adminAnswer{lines: at}).write(rec); begun || !errors.Is(err, failure) || len(rec.Header()) > 0 {
		t.Errorf("begun %t, %v, headers %v", begun, err, rec.Header())
	}
}
