package broker_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/gateway"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// changing tells of what is written, as a shared database tells the other
// nodes.
type changing struct {
	store.Store
	changes chan string
}

func (s *changing) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	err := s.Store.Put(ctx, key, value, ttl)
	s.changes <- key
	return err
}

func (s *changing) Swap(ctx context.Context, key string, old, value []byte, ttl time.Duration) error {
	err := s.Store.Swap(ctx, key, old, value, ttl)
	s.changes <- key
	return err
}

func (s *changing) Delete(ctx context.Context, key string) error {
	err := s.Store.Delete(ctx, key)
	s.changes <- key
	return err
}

// watching is the store of a node that is told.
type watching struct {
	store.Store
	changes chan string
}

func (s *watching) Watch(context.Context) (<-chan string, error) { return s.changes, nil }

// secondNode starts another node of the world's broker and returns its gate.
func (w *world) secondNode(o options) *gateway.Gate {
	w.Helper()
	changes := make(chan string, 10_000)
	shared := w.store
	w.store = &changing{Store: shared, changes: changes}
	w.newBroker(o)
	client := oauth.Client{ID: "notes", Name: "Notes", Secrets: [][32]byte{oauth.HashSecret(clientSecret)}, RedirectURIs: []string{callbackURL}}
	o.client(&client)
	config := broker.Config{Issuer: issuer, Connections: []broker.Connection{w.connection("auth0", "Acme staff")}, Clients: []oauth.Client{client}}
	o.config(w, &config)
	b, err := broker.New(config, broker.Deps{Store: &watching{Store: shared, changes: changes}, Now: w.clock.Now})
	if err != nil {
		w.Fatal(err)
	}
	if err := b.Start(w.Context()); err != nil {
		w.Fatal(err)
	}
	g, err := b.NewGate(broker.GateConfig{Origins: []string{gatedSite}, Name: "Orders"})
	if err != nil {
		w.Fatal(err)
	}
	return g
}

// openAt opens an event stream of the browser at a gate, and returns what is
// closed at its end.
func (w *world) openAt(g *gateway.Gate, b *brokertest.Browser) <-chan struct{} {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), http.MethodGet, gatedSite+"/live", nil)
	r.Header.Set("Accept", "text/event-stream")
	cookie := b.Cookie(gatedSite, "__Host-auth_gate")
	if cookie == nil {
		w.Fatal("the browser has no session")
	}
	r.Header.Set("Cookie", cookie.Name+"="+cookie.Value)
	began, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		err := g.Serve(httptest.NewRecorder(), r, r.URL, func(_ http.ResponseWriter, r *http.Request, _ *gateway.Visitor) error {
			close(began)
			<-r.Context().Done()
			return nil
		})
		if err != nil {
			w.Errorf("gate: %v", err)
		}
	}()
	select {
	case <-began:
	case <-time.After(10 * time.Second):
		w.Fatal("the stream did not begin")
	}
	return ended
}

// Who signs out, or takes a consent back, may be talking to another node
// than the one that has the stream.
func TestM94_S18_StreamsOnAnotherNodeAreClosed(t *testing.T) {
	for name, end := range map[string]func(w *world, b *brokertest.Browser, manager string){
		"signing out": func(w *world, b *brokertest.Browser, _ string) {
			if page := b.Get(gatedSite + "/.auth/logout"); !page.Has("logout-done") {
				w.Fatalf("signing out led to %d %s", page.Status, page.URL)
			}
		},
		"withdrawing": func(w *world, _ *brokertest.Browser, manager string) {
			if rec := w.asUser(http.MethodDelete, "/oauth2/clients/"+url.PathEscape("gate:app.example.com"), manager); rec.Code != http.StatusNoContent {
				w.Fatalf("withdrawing answered %d %s", rec.Code, rec.Body)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, selfService)
			second := w.secondNode(selfService)
			manager := w.manager("ada")
			ada, grace := w.newBrowser(), w.newBrowser()
			w.enter(ada, "/", "ada")
			w.enter(grace, "/", "grace")
			mine, theirs := w.openAt(second, ada), w.openAt(second, grace)
			w.clock.Advance(time.Second)
			end(w, ada, manager)
			select {
			case <-mine:
			case <-time.After(time.Second):
				t.Error("the stream is open after a second")
			}
			select {
			case <-theirs:
				t.Error("another visitor's stream was closed")
			default:
			}
		})
	}
}
