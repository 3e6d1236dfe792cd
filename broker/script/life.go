package script

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"modernc.org/quickjs"
)

// A run is one life of a machine. It has a goroutine of its own, so that it
// can be given up.
type run struct {
	script  *Script
	ctx     context.Context
	what    turn // load or start
	limit   time.Duration
	input   string
	console *console
	calls   *calls // nil without fetch
	leave   func() // gives the place of the run back; may be nil
	pause   func() // gives the turn back

	machine *machine
	spent   time.Duration
	outcome *outcome

	// results has room for all that may be sent: that a turn is given up,
	// how it ended after all, and a panic while the VM is freed.
	results chan result
}

// An outcome is what the prelude says of the end.
type outcome struct{ kind, text, stack string }

// A result is what became of a run.
type result struct {
	text    string // the result of the function, as JSON
	running time.Duration
	err     *Error
}

func (s *Script) newRun(ctx context.Context, what turn, limit time.Duration) *run {
	r := &run{script: s, ctx: ctx, what: what, limit: limit, results: make(chan result, 3)}
	if s.fetcher != nil {
		r.calls = newCalls(ctx, s.fetcher)
	}
	return r
}

// wait runs r and returns what became of it, at the latest when a turn is
// given up. Freeing the VM is not waited for.
func (r *run) wait() result {
	go r.live()
	return <-r.results
}

// live is the goroutine of r.
func (r *run) live() {
	if r.leave != nil {
		defer r.leave()
	}
	// The engine is unsafe code. With this a fault of it at a wild address
	// is a panic, too, and not the end of the process.
	debug.SetPanicOnFault(true)
	defer func() {
		if p := recover(); p != nil {
			r.results <- result{running: r.spent, err: failure(KindEngine, "panic: %v", p)}
		}
	}()
	if err := r.resume(); err != nil {
		r.results <- result{err: err}
		return
	}
	// Making and freeing the VM is work for scripts, too: 25 ms for a VM
	// full of small objects.
	defer func() { r.pause() }()
	var err error
	if r.machine, err = newMachine(r.script, r.host()); err != nil {
		r.results <- result{err: failure(KindEngine, "%v", err)}
		return
	}
	defer r.machine.close()
	stop := context.AfterFunc(r.ctx, r.machine.vm.Interrupt)
	defer stop()

	failed := r.turns()
	if failed == nil {
		failed = r.judge()
	}
	done := result{running: r.spent, err: failed}
	if failed == nil && r.outcome != nil {
		done.text = r.outcome.text
	}
	r.results <- done
}

// host returns what the prelude can ask of Go.
func (r *run) host() map[string]quickjs.HostFunc {
	host := map[string]quickjs.HostFunc{
		"brokerInput": func([]any) (any, error) { return r.input, nil },
		"brokerDone": func(args []any) (any, error) {
			if r.outcome == nil {
				r.outcome = &outcome{kind: args[0].(string), text: args[1].(string), stack: args[2].(string)}
			}
			return nil, nil
		},
		"brokerLog": func(args []any) (any, error) {
			return r.console.add(args[0].(string), args[1].(string)), nil
		},
	}
	if r.calls != nil {
		host["brokerSend"] = r.calls.send
		host["brokerReceive"] = r.calls.receive
	}
	return host
}

// judge turns the outcome into an error, or nil.
func (r *run) judge() *Error {
	if r.outcome == nil {
		if r.what == turnLoad {
			return nil
		}
		return failure(KindUnsettled, "the promise that the function returned can never settle: nothing is left to run")
	}
	switch kind := Kind(r.outcome.kind); kind {
	case "ok":
		return nil
	case KindNoFunction:
		return failure(kind, "module.exports is of type %s; write module.exports = async function (context) { … }", r.outcome.text)
	case KindException, KindRejected, KindMemory:
		return thrown(kind, r.outcome.text, r.script.lineOf(r.outcome.stack))
	default:
		return failure(kind, "%s", r.outcome.text)
	}
}

// resume waits for a turn.
func (r *run) resume() *Error {
	pause, err := r.script.engine.turns.enter(r.ctx)
	if err == nil {
		r.pause = pause
		return nil
	}
	if r.machine == nil {
		return r.script.over(r.ctx, KindBusy)
	}
	return r.script.over(r.ctx, KindTimeout)
}

// turns takes turns until there is an outcome, or nothing left that could
// bring one.
func (r *run) turns() *Error {
	if err := r.turn(r.what, 0); err != nil {
		return err
	}
	for r.outcome == nil && r.calls != nil && r.calls.open > 0 {
		r.pause()
		if r.calls.wait(r.ctx) != nil {
			return r.script.over(r.ctx, KindTimeout)
		}
		if err := r.resume(); err != nil {
			return err
		}
		if err := r.turn(turnAnswer, r.calls.current.id); err != nil {
			return err
		}
	}
	if r.outcome != nil || r.what == turnLoad {
		return nil
	}
	r.machine.vm.SetMemoryLimit(r.script.engine.memory + reserve)
	return r.turn(turnAgain, 0)
}

// turn runs the VM until there is nothing left to run.
func (r *run) turn(what turn, answer int) *Error {
	if err := r.step(func() error { return r.machine.call(what, answer) }); err != nil {
		return err
	}
	for more := true; more; {
		err := r.step(func() (err error) {
			more, err = r.machine.jobs()
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// step enters the VM for as long as the run has left.
func (r *run) step(f func() error) *Error {
	left := r.limit - r.spent
	switch {
	case r.ctx.Err() != nil: // entering would forget the interrupt
		return r.script.over(r.ctx, KindTimeout)
	case left <= 0:
		return r.late("")
	}
	// Each entry starts the engine's clock anew, and zero would stop it.
	_ = r.machine.vm.SetEvalTimeout(left)
	pause := r.pause
	overdue := time.AfterFunc(left+r.limit, func() {
		// The engine has not noticed its interrupt. Whoever waits for the
		// turn must not wait for that.
		pause()
		r.results <- result{running: left + r.limit, err: r.late(" and did not stop: a built-in function works on something large, or the machine is overloaded")}
	})
	defer overdue.Stop()

	began := r.script.engine.now()
	err := f()
	r.spent += r.script.engine.now().Sub(began)

	fault, _ := errors.AsType[*quickjs.Error](err)
	switch {
	case r.machine.fault != nil:
		return failure(KindEngine, "%v", r.machine.fault)
	case r.ctx.Err() != nil:
		return r.script.over(r.ctx, KindTimeout)
	case r.spent >= r.limit:
		// Even with an outcome: a script can catch the interrupt of a
		// promise and go on for a while.
		late := r.late("")
		if fault != nil { // near it, at least in the same function
			late.Line = r.script.lineOf(fault.Stack)
		}
		return late
	case fault != nil:
		return thrown(KindException, fault.Error(), r.script.lineOf(fault.Stack))
	case err != nil:
		return failure(KindEngine, "%v", err)
	}
	return nil
}

func (r *run) late(how string) *Error {
	return failure(KindTimeout, "%s", fmt.Sprintf("ran for more than %v%s", r.limit, how))
}
