package gateway

import (
	"context"
	"slices"
)

// Adopt puts gates on duty until ctx ends: those of one configuration, when
// it starts. A configuration that takes its place starts before that.
//
// The server lets a request go on that a configuration let in which is no
// longer there. Its streams are then looked at by the gate of the same site
// that is on duty: a provider that was disabled, or a site that is gone, ends
// them like a sign-out. Where no gate is on duty the process ends or does
// without us; then they are the server's to end.
func (c *Cache) Adopt(ctx context.Context, gates []*Gate) {
	s := c.streams
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onDuty = append(s.onDuty, gates...)
	context.AfterFunc(ctx, func() { s.dismiss(gates) })
}

// dismiss takes gates off duty.
func (s *streams) dismiss(gates []*Gate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range gates {
		g.retired = true
	}
	s.onDuty = slices.DeleteFunc(s.onDuty, func(g *Gate) bool { return g.retired })
	s.lookIf(func(w *watch) bool { return !s.decides(w.gate) })
}

// decides says whether the gate decides about the streams that it let in.
func (s *streams) decides(g *Gate) bool { return !g.retired || len(s.onDuty) == 0 }

// judge returns the gate that decides about the streams of k, and the site
// as that gate knows it; nil if the site is gone.
func (s *streams) judge(k watchKey) (*Gate, *site) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.decides(k.gate) {
		return k.gate, k.site
	}
	for _, g := range slices.Backward(s.onDuty) {
		for _, site := range g.sites {
			if site.Client.ID == k.site.Client.ID {
				return g, site
			}
		}
	}
	return nil, nil
}
