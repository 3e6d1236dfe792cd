package caddymodule

import (
	"slices"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/caddyserver/caddy/v2"
)

// poolLogger returns a logger for what outlives a configuration. The logger
// that a configuration hands out writes to outputs that end with it, so this
// one looks up Caddy's current default log for each entry.
func poolLogger() *zap.Logger {
	return zap.New(currentLog{}).Named(appName)
}

// currentLog is a zapcore.Core on whatever log is current.
type currentLog struct{ fields []zapcore.Field }

func (c currentLog) Enabled(l zapcore.Level) bool { return caddy.Log().Core().Enabled(l) }

func (c currentLog) With(fields []zapcore.Field) zapcore.Core {
	return currentLog{fields: append(slices.Clip(c.fields), fields...)}
}

func (c currentLog) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

func (c currentLog) Write(e zapcore.Entry, fields []zapcore.Field) error {
	return caddy.Log().Core().Write(e, append(slices.Clip(c.fields), fields...))
}

func (c currentLog) Sync() error { return caddy.Log().Core().Sync() }

var _ zapcore.Core = currentLog{}
