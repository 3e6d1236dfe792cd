package session

import "context"

// Known returns the SSO session of handle, even one that has reached a limit:
// what is below it may have been in use since, and whoever signs out means all
// of it. ErrNoSession if it has ended.
func (m *Manager) Known(ctx context.Context, handle string) (*SSO, error) {
	s, _, err := m.find(ctx, handle)
	return s, err
}

// SignOutSSO ends the SSO session of handle, of those that Known finds, with
// everything below it, and returns it.
func (m *Manager) SignOutSSO(ctx context.Context, handle string) (*SSO, error) {
	s, _, err := m.find(ctx, handle)
	if err != nil {
		return nil, err
	}
	return s, m.End(ctx, s.SID)
}
