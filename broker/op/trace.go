package op

import (
	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
)

// traced adds to the login's lineage what a stage did. At the level DEBUG the
// log has it too: names, types and reasons, and never a value.
func (s *Server) traced(l *login, t authn.Trace) {
	if len(t) == 0 {
		return
	}
	l.Lineage = append(l.Lineage, t...)
	if entry := s.Log.Check(zap.DebugLevel, "lineage"); entry != nil {
		entry.Write(zap.String("trace", l.Trace), zap.String("connection", l.Connection), zap.Any("entries", t))
	}
}
