package brokertest_test

import (
	"bytes"
	"crypto/x509"
	"net/http"
	"os"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestCA(t *testing.T) {
	ca := brokertest.NewCA()
	file, err := os.ReadFile(ca.File(t))
	if err != nil || !bytes.Equal(file, ca.PEM()) {
		t.Fatalf("the file differs from the certificate: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(file) {
		t.Fatal("the file holds no certificate")
	}
	leaf := ca.Certificate("app.example.com", "127.0.0.1").Leaf
	for host, ok := range map[string]bool{"app.example.com": true, "127.0.0.1": true, "auth.example.com": false} {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: host})
		if (err == nil) != ok {
			t.Errorf("%s: got error %v, want success %v", host, err, ok)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: brokertest.NewCA().Pool(), DNSName: "app.example.com"}); err == nil {
		t.Error("another authority vouches for the certificate")
	}
}

// Two tenants in one test must not be reached by each other's client.
func TestClientReachesItsServerOnly(t *testing.T) {
	a := brokertest.StartTLS(t, brokertest.Options{Host: "a.example.com"})
	b := brokertest.StartTLS(t, brokertest.Options{Host: "b.example.com"})
	resp, err := a.Client().Get(a.Issuer() + ".well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
		t.Errorf("got status %d over %s, want HTTP/2", resp.StatusCode, resp.Proto)
	}
	if resp, err := a.Client().Get(b.Issuer()); err == nil {
		_ = resp.Body.Close()
		t.Error("a's client reached b")
	}
}

// A demo needs no test around it.
func ExampleListen() {
	tenant, err := brokertest.Listen("localhost:0", brokertest.Options{
		Clients: []brokertest.Client{{
			ID:        "gateway",
			Secret:    "not-a-secret",
			Callbacks: []string{"http://localhost:8080/oauth2/callback/auth0"},
		}},
	})
	if err != nil {
		panic(err)
	}
	defer tenant.Close()
	// Output:
}
