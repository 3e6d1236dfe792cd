package caddymodule

import (
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/lineage"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
)

// answerTraces lists the last sign-ins; with the parameter login, a login_id or
// a correlation id, it tells the lineage of one, and its values as long as a
// window is open.
func answerTraces(a *App, query url.Values) (any, error) {
	if query.Has("login") {
		return a.broker.SignIn(a.ctx, query.Get("login"))
	}
	return a.broker.Traces(a.ctx)
}

func tracesViews() map[string]adminView {
	return map[string]adminView{"html": {mediaType: "text/html", render: tracesPage, headers: pageHeaders(lineage.SignInPolicy())}}
}

func tracesPage(a *App, query url.Values) ([]byte, error) {
	if !query.Has("login") {
		kept, err := a.broker.Traces(a.ctx)
		if err != nil {
			return nil, err
		}
		list := op.SignInList(kept)
		list.Linked = true
		return list.HTML()
	}
	signIn, err := a.broker.SignIn(a.ctx, query.Get("login"))
	if err != nil {
		return nil, err
	}
	page := signIn.Page(a.broker.ValuesWindow().Until)
	page.Linked = true
	return page.HTML()
}

// openWindow opens the window in which the values of sign-ins are kept. It
// ends with this configuration, if not before: whoever loads the next one
// has not asked for it.
func openWindow(a *App, query url.Values) (any, []zap.Field, error) {
	life := op.MaxValuesWindow
	if query.Has("for") {
		var err error
		if life, err = time.ParseDuration(query.Get("for")); err != nil {
			return nil, nil, errWindowTime
		}
	}
	if life <= 0 || life > op.MaxValuesWindow {
		return nil, nil, errWindowTime
	}
	window, err := a.broker.OpenValues(a.ctx, life)
	return window, []zap.Field{zap.String("event", "debug_window_opened"), zap.Duration("remaining", life)}, err
}

var errWindowTime = mistaken("parameter \"for\" must be a time of at most 15m, such as 10m or 90s")

// closeWindow closes it at once.
func closeWindow(a *App, _ url.Values) (any, []zap.Field, error) {
	open := a.broker.ValuesWindow()
	a.broker.CloseValues()
	return a.broker.ValuesWindow(), []zap.Field{zap.String("event", "debug_window_closed"), zap.Bool("was_open", open.Open)}, nil
}
