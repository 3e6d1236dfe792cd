package caddymodule

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestM35_ContextIsSealedAtRest proves that a cached context, as all there is,
// is unreadable in the files of the embedded store.
func TestM35_ContextIsSealedAtRest(t *testing.T) {
	tenant, outbound := startTenant(t)
	app := startApplication(t)
	s := newServer(t)
	s.load(s.config(globals(provider4+` {
			context_cache 15m
		}
`+outbound, authHost+" {\n\tauth_broker\n}\n"+appHost+` {
	auth_gate {
		header X-User {claim.name}
	}
	reverse_proxy `+app.address()+"\n}\n"), authHost, appHost))
	b := s.liveBrowser(tenant, authHost, appHost)
	enter(t, b, "https://"+appHost+"/")
	if app.header("X-User") != "Ada Example" {
		t.Fatalf("X-User is %q", app.header("X-User"))
	}
	files, err := filepath.Glob(s.database() + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("files of the store: %q, %v", files, err)
	}
	size := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		size += len(raw)
		for _, text := range []string{"Ada Example", "ada@example.com", "auth0|ada", `"attributes"`, "email_verified"} {
			if bytes.Contains(raw, []byte(text)) {
				t.Errorf("%s holds %q in clear", filepath.Base(file), text)
			}
		}
	}
	if size < 4096 {
		t.Errorf("the files hold %d bytes, so nothing was looked at", size)
	}
}
