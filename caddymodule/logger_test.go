package caddymodule

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// TestPoolLoggerFollowsReloads proves that what lives longer than a
// configuration does not log into one that is gone.
func TestPoolLoggerFollowsReloads(t *testing.T) {
	setVariables(t)
	s := newServer(t)
	log := poolLogger().With(zap.String("connection", "acme"))
	config := s.config(minimal, authHost, appHost)
	s.load(config)
	log.Warn("before the reload")

	second := s.logFile() + ".second"
	s.load([]byte(strings.ReplaceAll(string(config), s.logFile(), second)))
	log.Warn("after the reload")
	log.Debug("at debug level")

	raw, err := os.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.logs(); !strings.Contains(got, "before the reload") || strings.Contains(got, "after the reload") {
		t.Error("the first log has not what was logged before the reload, or more")
	}
	for _, want := range []string{"after the reload", `"connection":"acme"`, `"logger":"auth_broker"`, "at debug level"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("the second log lacks %s", want)
		}
	}
}
