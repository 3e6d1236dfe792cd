package script

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// An Engine bounds what all scripts of the process may use together: memory
// for eight runs, and half of the processors. One Engine is meant to be
// shared by everything that lives at the same time, over reloads of the
// configuration, too. It is safe for concurrent use.
type Engine struct {
	runs  semaphore // who may have a VM
	turns semaphore // whose VM may run

	memory uintptr // of one run, in bytes
	now    func() time.Time
}

// NewEngine returns an Engine with room for eight runs.
func NewEngine() *Engine {
	return &Engine{
		runs:   make(semaphore, maxRuns),
		turns:  make(semaphore, min(maxRuns, max(1, runtime.GOMAXPROCS(0)/2))),
		memory: maxMemory,
		now:    time.Now,
	}
}

// A semaphore lets as many through as it has room, in the order they came.
type semaphore chan struct{}

// enter waits for a place. The returned function gives it back; calling it
// again does nothing.
func (g semaphore) enter(ctx context.Context) (leave func(), err error) {
	// A place that is free must not win against a context that has ended.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case g <- struct{}{}:
		return sync.OnceFunc(func() { <-g }), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
