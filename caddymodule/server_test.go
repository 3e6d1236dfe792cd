package caddymodule

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

// A server is Caddy in this process, of which there can be one at a time.
// It listens on free ports, keeps its files in a temporary directory, and
// has certificates of its own authority, so that it calls nobody.
type server struct {
	*testing.T
	ca    *brokertest.CA
	dir   string
	http  string
	https string
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{T: t, ca: brokertest.NewCA(), dir: t.TempDir(), http: brokertest.FreePort(t), https: brokertest.FreePort(t)}
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// database is where the configurations of this server keep their store.
func (s *server) database() string { return filepath.Join(s.dir, "store", "auth_broker.db") }

func (s *server) logFile() string { return filepath.Join(s.dir, "caddy.log") }

func (s *server) logs() string {
	s.Helper()
	raw, err := os.ReadFile(s.logFile())
	if err != nil && !os.IsNotExist(err) {
		s.Fatal(err)
	}
	return string(raw)
}

// config adapts a Caddyfile, with the options that keep a test apart from
// the rest of the machine, and certificates for hosts.
func (s *server) config(input string, hosts ...string) []byte {
	s.Helper()
	options := "\n\tadmin off\n\tpersist_config off\n\thttp_port " + s.http + "\n\thttps_port " + s.https +
		"\n\tskip_install_trust\n\tdefault_bind 127.0.0.1\n\tstorage file_system " + filepath.Join(s.dir, "caddy") + "\n"
	if !strings.Contains(input, "\tlog {") {
		options += "\tlog {\n\t\tlevel DEBUG\n\t\toutput file " + s.logFile() + "\n\t}\n"
	}
	body, ok := strings.CutPrefix(input, "{\n")
	if !ok {
		body = "}\n" + input
	}
	raw, _, err := adapt("{" + options + body)
	if err != nil {
		s.Fatal(err)
	}
	return s.patch(raw, hosts)
}

// patch puts what no line of the Caddyfile under test can say into the
// JSON: certificates, and a database unless one is named.
func (s *server) patch(raw []byte, hosts []string) []byte {
	s.Helper()
	var config struct {
		Admin   json.RawMessage            `json:"admin,omitempty"`
		Logging json.RawMessage            `json:"logging,omitempty"`
		Storage json.RawMessage            `json:"storage,omitempty"`
		Apps    map[string]json.RawMessage `json:"apps"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&config); err != nil {
		s.Fatal(err)
	}
	if app := config.Apps["auth_broker"]; app != nil {
		var a App
		if err := json.Unmarshal(app, &a); err != nil {
			s.Fatal(err)
		}
		if a.Storage == nil {
			a.Storage = &Storage{Kind: "embedded", Path: s.database()}
		}
		config.Apps["auth_broker"] = encode(s.T, a)
	}
	if len(hosts) > 0 {
		config.Apps["tls"] = s.certificates(hosts)
	}
	return encode(s.T, config)
}

func (s *server) certificates(hosts []string) json.RawMessage {
	s.Helper()
	cert := s.ca.Certificate(hosts...)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		s.Fatal(err)
	}
	var chain []byte
	for _, der := range cert.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	type pair struct {
		Certificate string `json:"certificate"`
		Key         string `json:"key"`
	}
	loaded := map[string]any{"certificates": map[string]any{"load_pem": []pair{{
		Certificate: string(chain), Key: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
	}}}}
	return encode(s.T, loaded)
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// load runs a configuration in place of the current one.
func (s *server) load(config []byte) {
	s.Helper()
	if err := caddy.Load(config, true); err != nil {
		s.Fatal(err)
	}
}

// validate does what "caddy validate" does.
func validate(config []byte) error {
	var c caddy.Config
	if err := caddy.StrictUnmarshalJSON(config, &c); err != nil {
		return err
	}
	return caddy.Validate(&c)
}

// browser returns one that finds this server under the hosts.
func (s *server) browser(hosts ...string) *brokertest.Browser {
	s.Helper()
	resolve := map[string]string{}
	for _, h := range hosts {
		resolve[h] = "127.0.0.1:" + s.https
	}
	return brokertest.NewBrowser(s.T, brokertest.BrowserOptions{Resolve: resolve, RootCAs: s.ca.Pool()})
}

// quiet takes the server's own surroundings out of a configuration that is
// only validated: logs, certificates, and Caddy's storage.
func (s *server) quiet(raw []byte) []byte {
	s.Helper()
	var config map[string]any
	if err := json.Unmarshal(raw, &config); err != nil {
		s.Fatal(err)
	}
	config["logging"] = map[string]any{"logs": map[string]any{"default": map[string]any{"writer": map[string]any{"output": "discard"}}}}
	config["storage"] = map[string]any{"module": "file_system", "root": filepath.Join(s.dir, "caddy")}
	return encode(s.T, config)
}
