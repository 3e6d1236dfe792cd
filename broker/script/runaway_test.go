package script

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The four scripts of G17, each with its end.
var runaways = []struct {
	text string
	kind Kind
}{
	{"for (;;) ;", KindTimeout},
	{"return { acr: 'x'.repeat((1 << 30) - 1) };", KindMemory},
	{"(function f() { f(); })();", KindStack},
	{"/^(a+)+$/.test('a'.repeat(60) + 'b');", KindTimeout},
}

// TestG17_RunawayScripts lets a hundred scripts run away, fifty at once, and
// looks at what remains of the machine. It asserts their ends and the
// memory; times are printed, as they are those of the machine, too.
func TestG17_RunawayScripts(t *testing.T) { t.Log(runaway(t, 100)) }

// BenchmarkRunaway is the same with a thousand.
func BenchmarkRunaway(b *testing.B) {
	for b.Loop() {
		fmt.Println(runaway(b, 1000))
	}
}

func runaway(t testing.TB, runs int) string {
	e := NewEngine()
	var scripts []*Script
	for _, r := range runaways {
		cfg := Config{Name: "post_authn.js", Source: body(r.text), Wait: 10 * time.Minute}
		if r.kind != KindTimeout {
			cfg.Timeout = 10 * time.Second // the other limit is the one to meet
		}
		s, err := e.Compile(cfg)
		if err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, s)
	}
	others := &neighbours{t: t}
	if others.script, _ = e.Compile(patient(guideWithoutSecrets)); others.script == nil {
		t.Fatal("the script of the others does not compile")
	}
	alone := others.measure(func() bool { return true })
	var beside string

	var running atomic.Bool
	running.Store(true)
	before, peak := rss(), int64(0)
	times := make([]time.Duration, runs)
	next := make(chan int)
	var wg, measured sync.WaitGroup
	var mu sync.Mutex
	for range 50 {
		wg.Go(func() {
			for i := range next {
				r := runaways[i%len(runaways)]
				_, report, err := scripts[i%len(runaways)].Run(context.Background(), Input{})
				if e, ok := err.(*Error); !ok || e.Kind != r.kind {
					t.Errorf("%s: got %v, want kind %s", r.text, err, r.kind)
				}
				mu.Lock()
				times[i], peak = report.Running, max(peak, rss()-before)
				mu.Unlock()
			}
		})
	}
	measured.Go(func() { beside = others.measure(func() bool { return !running.Load() }) })
	for i := range runs {
		next <- i
	}
	close(next)
	wg.Wait()
	running.Store(false)
	measured.Wait()

	if bar := int64(128 << 20); peak > bar {
		t.Errorf("%d MiB of memory grew, want at most %d", peak>>20, bar>>20)
	}
	var loops []time.Duration
	for i, d := range times {
		if runaways[i%len(runaways)].kind == KindTimeout {
			loops = append(loops, d)
		}
	}
	return fmt.Sprintf("goal=G17 value=%d runs, stopped after p50 %v, max %v of %v; memory +%d MiB; alone %s; beside %s bar=2x the limit, +128 MiB, p99 2x",
		runs, percentile(loops, 50), percentile(loops, 100), DefaultTimeout, peak>>20, alone, beside)
}

const guideWithoutSecrets = `module.exports = async function (context) {
  return { authn_ctx: { groups: ["x", context.authn_ctx.name] }, amr: [...context.amr, "mfa"] };
};
`

// neighbours are what else the process does: work in Go, like serving
// requests, and sign-ins whose script behaves.
type neighbours struct {
	t      testing.TB
	script *Script

	work, scripts, queued []time.Duration
}

// measure works until done says so, and on for a few sign-ins.
func (n *neighbours) measure(done func() bool) string {
	n.work, n.scripts, n.queued = nil, nil, nil
	var wg sync.WaitGroup
	wg.Go(func() {
		block := make([]byte, 64<<10)
		for len(n.work) < 2000 || !done() {
			began := time.Now()
			sha256.Sum256(block)
			n.work = append(n.work, time.Since(began))
		}
	})
	wg.Go(func() {
		for len(n.scripts) < 50 || !done() {
			_, report, err := n.script.Run(context.Background(), Input{Attributes: map[string]any{"name": "Ada"}, AMR: []string{"pwd"}})
			if err != nil {
				n.t.Errorf("the script that behaves: %v", err)
				return
			}
			n.scripts = append(n.scripts, report.Running)
			n.queued = append(n.queued, report.Duration)
		}
	})
	wg.Wait()
	return fmt.Sprintf("(p99 of Go work %v, of a script %v, with its wait %v)",
		percentile(n.work, 99), percentile(n.scripts, 99), percentile(n.queued, 99))
}

func percentile(times []time.Duration, p int) time.Duration {
	slices.Sort(times)
	if len(times) == 0 {
		return 0
	}
	return times[min(len(times)-1, len(times)*p/100)].Round(time.Microsecond)
}

// rss returns the resident memory of the process in bytes, or 0 where the
// system does not tell.
func rss() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, resident int64
	if _, err := fmt.Fscan(strings.NewReader(string(statm)), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}
