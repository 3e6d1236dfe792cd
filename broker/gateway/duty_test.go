package gateway

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// start puts a gate on duty, made from the rig's configuration after change,
// and returns it with what ends its configuration.
func (s *streamRig) start(change func(*Config, *Deps)) (*Gate, context.CancelFunc) {
	config, deps := s.config, s.deps
	if change != nil {
		change(&config, &deps)
	}
	g, err := New(config, deps)
	if err != nil {
		s.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.Context())
	s.cache.Adopt(ctx, []*Gate{g})
	return g, stop
}

// another is a broker that withdraws from nobody yet.
func (s *streamRig) another() *ledger {
	return &ledger{fakeBroker: s.ledger.fakeBroker, withdrawn: map[string]bool{}}
}

// A reload disables a provider, or takes a site away. The streams that the
// old configuration let in must not be judged by it any more.
func TestS09_ReloadEndsStreamsThatItDoesNotLetIn(t *testing.T) {
	for name, change := range map[string]func(*streamRig) func(*Config, *Deps){
		"its provider is disabled": func(s *streamRig) func(*Config, *Deps) {
			return func(c *Config, d *Deps) {
				strict := s.another()
				strict.withdraw("gate:app.example.com")
				c.Fingerprint, d.Broker = "changed", strict
			}
		},
		"its site is gone": func(*streamRig) func(*Config, *Deps) {
			return func(c *Config, _ *Deps) { c.Sites = c.Sites[1:] }
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(s *streamRig) {
				old, stopOld := s.start(nil)
				ada := s.signIn("ada")
				here, there := s.open(old, origin, ada), s.open(old, otherOrigin, ada)
				quiet := s.open(old, origin, ada, "Accept", "*/*")
				synctest.Wait()
				_, stop := s.start(change(s))
				if !here.isOpen() {
					t.Error("cut while the old configuration is there")
				}
				stopOld()
				if here.isOpen() {
					t.Error("a stream goes on that would not be let in")
				}
				time.Sleep(patience)
				if quiet.isOpen() {
					t.Error("a stream that nobody asked for goes on")
				}
				if !there.isOpen() {
					t.Error("a stream of another site was cut")
				}
				// What comes to the old gate late, over a connection that it
				// still has.
				if late := s.open(old, origin, ada); late.isOpen() {
					t.Error("a late stream goes on")
				}
				there.stop()
				stop()
				synctest.Wait()
			})
		})
	}
}

func TestReloadKeepsStreams(t *testing.T) {
	for name, reload := range map[string]func(s *streamRig, stopOld context.CancelFunc){
		"nothing has changed": func(s *streamRig, stopOld context.CancelFunc) {
			s.start(nil)
			stopOld()
		},
		"it fails": func(s *streamRig, _ context.CancelFunc) {
			_, stop := s.start(func(c *Config, _ *Deps) { c.Sites = c.Sites[1:] })
			stop()
		},
		"the process ends": func(_ *streamRig, stopOld context.CancelFunc) { stopOld() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(s *streamRig) {
				old, stopOld := s.start(nil)
				ada := s.signIn("ada")
				o := s.open(old, origin, ada)
				synctest.Wait()
				reload(s, stopOld)
				if !o.isOpen() {
					t.Error("cut")
				}
				if err := s.sessions.End(s.Context(), ada.sid); err != nil {
					t.Fatal(err)
				}
				if o.isOpen() {
					t.Error("goes on after its session")
				}
			})
		})
	}
}
