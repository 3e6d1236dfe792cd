package op

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/script"
)

// errScript ends a sign-in whose script failed.
var errScript = errors.New("the post-authentication script failed")

// runScript gives the context to the connection's script and returns what
// becomes of it. That happens once per sign-in at the upstream: never with a
// cached context, and never when tokens are minted again.
//
// The log tells what happened, and no values: so not the text of an
// exception either, in which the author may have put some. The command
// "script test" shows it.
func (s *Server) runScript(ctx context.Context, l *login, conn *Connection, c *authn.Context) (*authn.Context, error) {
	if conn.Script == nil {
		return c, nil
	}
	out, report, err := conn.Script.Compiled.Run(ctx, script.Input{
		Attributes: c.Attributes, AMR: c.AMR, ACR: c.ACR, IDPSubject: c.IDPSubject,
	})
	changed := c
	var trace authn.Trace
	if err == nil {
		changed, trace, err = s.Schema.ApplyScript(c, authn.Change{
			Attributes: out.Attributes, AMR: out.AMR, ACR: out.ACR, IDPSubject: out.IDPSubject,
		})
	}
	event := []zap.Field{
		zap.String("trace", l.Trace), zap.String("connection", conn.ID), zap.String("digest", conn.Script.Compiled.Digest()),
	}
	if report != nil {
		event = append(event, zap.Duration("duration", report.Duration))
	}
	s.traced(l, trace)
	if err != nil {
		reason := scriptFailure(err)
		s.Log.Error("script_executed", append(event, zap.String("outcome", "failed"), zap.String("reason", reason),
			zap.Bool("continued", conn.Script.ContinueOnError))...)
		if conn.Script.ContinueOnError {
			return c, nil
		}
		return nil, fmt.Errorf("%w: %s", errScript, reason)
	}
	s.keepContext(l, authn.StageScript, changed)
	s.Log.Info("script_executed", append(event, zap.String("outcome", "ok"), zap.Strings("changed", returned(out)))...)
	return changed, nil
}

// returned are the names that a script has returned.
func returned(out *script.Output) []string {
	names := slices.Sorted(maps.Keys(out.Attributes))
	for name, given := range map[string]bool{"amr": out.AMR != nil, "acr": out.ACR != nil, "idp_sub": out.IDPSubject != nil} {
		if given {
			names = append(names, name)
		}
	}
	return names
}

// scriptFailure says why a script failed, without what it said itself.
func scriptFailure(err error) string {
	if failure, ok := errors.AsType[*script.Error](err); ok {
		return fmt.Sprintf("%s at %s:%d", failure.Kind, failure.Script, failure.Line)
	}
	return err.Error() // of the merge: names and no values
}
