package brokertest_test

import (
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/brokertest"
)

func TestClock(t *testing.T) {
	clock := new(brokertest.Clock)
	if got := clock.Now(); !got.Equal(brokertest.Epoch) {
		t.Errorf("zero clock: got %v", got)
	}
	clock.Advance(90 * time.Minute)
	clock.Advance(-time.Hour)
	if got := clock.Now(); !got.Equal(brokertest.Epoch.Add(30 * time.Minute)) {
		t.Errorf("moved: got %v", got)
	}
	then := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	clock.Set(then)
	if got := clock.Now(); !got.Equal(then) || !brokertest.NewClock(then).Now().Equal(then) {
		t.Errorf("set: got %v", got)
	}
}
