package op

import (
	"strconv"
	"testing"
	"time"
)

func TestMisses(t *testing.T) {
	now := time.Unix(1_000, 0)
	var m misses
	for range maxMisses {
		if m.exceeded("a", now) {
			t.Fatal("too early")
		}
		m.add("a", now)
	}
	if !m.exceeded("a", now.Add(missWindow-1)) || m.exceeded("b", now) {
		t.Error("not the one that was missed")
	}
	if m.exceeded("a", now.Add(missWindow)) {
		t.Error("remembered for too long")
	}
	m.add("a", now.Add(missWindow))
	if m.exceeded("a", now.Add(missWindow)) {
		t.Error("old misses count in the next minute")
	}
}

// Whoever asks for ever new things must not fill the memory.
func TestMisses_AreBounded(t *testing.T) {
	now := time.Unix(1_000, 0)
	var m misses
	for i := range 3 * maxMissed {
		m.add(strconv.Itoa(i), now)
		if len(m.counts) > maxMissed {
			t.Fatalf("%d are counted", len(m.counts))
		}
	}
	t.Run("and those of this minute stay when old ones can go", func(t *testing.T) {
		var m misses
		for i := range maxMissed - 1 {
			m.add(strconv.Itoa(i), now)
		}
		later := now.Add(missWindow)
		for range maxMisses {
			m.add("fresh", later)
		}
		m.add("another", later)
		if !m.exceeded("fresh", later) || len(m.counts) != 2 {
			t.Errorf("%d are counted", len(m.counts))
		}
	})
}
