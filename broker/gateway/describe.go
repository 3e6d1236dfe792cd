package gateway

import "slices"

// Placeholders returns what the header's value is made of beside literal
// text, such as "claim.email" or "access_token".
func (h Header) Placeholders() (names []string) {
	for _, p := range h.parts {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	return names
}

// Headers returns what the application behind the gate gets.
func (g *Gate) Headers() []Header { return slices.Clone(g.headers) }

// ClientIDs returns the ids of the clients that the guarded sites are.
func (g *Gate) ClientIDs() (ids []string) {
	for _, s := range g.sites {
		ids = append(ids, s.Client.ID)
	}
	slices.Sort(ids)
	return ids
}
