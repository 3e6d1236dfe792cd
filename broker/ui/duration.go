package ui

import (
	"fmt"
	"time"
)

// A counted is the name of a unit, for one of it and for more: "1 day" and
// "%d days". No language that we speak needs a third form.
type counted [2]string

func (c counted) say(n int64) string {
	if n == 1 {
		return c[0]
	}
	return fmt.Sprintf(c[1], n)
}

// duration returns d in words, in the largest unit that leaves no rest:
// "180 days", but "36 hours". Parts of a minute are not said.
func (c *catalogue) duration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d%day == 0:
		return c.Days.say(int64(d / day))
	case d%time.Hour == 0:
		return c.Hours.say(int64(d / time.Hour))
	}
	return c.Minutes.say(max(1, int64(d/time.Minute)))
}
