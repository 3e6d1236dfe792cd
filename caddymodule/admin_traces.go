package caddymodule

import (
	"net/url"
)

// adminTraces lists the last sign-ins; with the parameter login, a login_id or
// a correlation id, it tells the lineage of one.
const adminTraces = adminBase + "traces"

func answerTraces(a *App, query url.Values) (any, error) {
	if query.Has("login") {
		return a.broker.Trace(a.ctx, query.Get("login"))
	}
	return a.broker.Traces(a.ctx)
}
