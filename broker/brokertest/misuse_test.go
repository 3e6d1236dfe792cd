package brokertest_test

import (
	"context"
	"runtime"
	"testing"
)

// A probe is a test that may fail without failing this one.
type probe struct {
	testing.TB
	failed bool
}

func (p *probe) Helper()                  {}
func (p *probe) Logf(string, ...any)      {}
func (p *probe) Context() context.Context { return p.TB.Context() }
func (p *probe) Fatal(...any)             { p.fail() }
func (p *probe) Fatalf(string, ...any)    { p.fail() }

func (p *probe) fail() {
	p.failed = true
	runtime.Goexit()
}

// fails runs f and says whether it ended its test.
func fails(t *testing.T, f func(testing.TB)) bool {
	t.Helper()
	p := &probe{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(p)
	}()
	<-done
	return p.failed
}
