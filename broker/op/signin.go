package op

import (
	"context"

	"go.uber.org/zap"
)

// A SignIn is what is told of one sign-in: its record, and while a window is
// open the values. The two are one only in the answer to an administrator: a
// record that is stored has no place for values.
type SignIn struct {
	*TraceRecord
	Values *SignInValues `json:"values,omitempty"`
}

// SignIn returns a sign-in by its login_id or correlation id; [ErrNoTrace] if
// none is kept. That values are handed out is logged here and nowhere else,
// and before anybody has them: who was looked at matters as much as that a
// window was open, and it may be closed by the time the answer is read.
func (s *Server) SignIn(ctx context.Context, id string) (*SignIn, error) {
	record, err := s.TraceOf(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &SignIn{TraceRecord: record, Values: s.valuesOf(record.LoginID)}
	if out.Values != nil {
		s.Log.Warn("values_shown", zap.String("login_id", record.LoginID), zap.String("client", record.Client))
	}
	return out, nil
}
