package script

import (
	"context"
	"errors"
	"time"
)

// A Report tells of a run, whether it failed or not.
type Report struct {
	// Duration is the time from the call of Run to its end, Running what
	// of it the script ran.
	Duration, Running time.Duration

	// Console is what the script wrote, at most 8 KiB of it;
	// ConsoleCut tells that it wrote more.
	Console    []Line
	ConsoleCut bool

	// Digest is that of the script.
	Digest string
}

// Run calls the script's function once. The report is never nil; the error
// is an *[Error]. An ended ctx interrupts the run.
func (s *Script) Run(ctx context.Context, in Input) (*Output, *Report, error) {
	began := s.engine.now()
	console := newConsole(s.redactor)
	out, running, err := s.run(ctx, in, console)

	report := &Report{Duration: s.engine.now().Sub(began), Running: running, Digest: s.digest}
	report.Console, report.ConsoleCut = console.written()
	if err != nil {
		return nil, report, s.named(err)
	}
	return out, report, nil
}

func (s *Script) run(ctx context.Context, in Input, console *console) (*Output, time.Duration, *Error) {
	input, err := encodeInput(in, s.secrets)
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.wait, errWaited)
	defer cancel()
	leave, ended := s.place(ctx)
	if ended != nil {
		return nil, 0, s.over(ctx, KindBusy)
	}
	r := s.newRun(ctx, turnStart, s.timeout)
	r.input, r.console, r.leave = input, console, leave
	result := r.wait()
	if result.err != nil {
		return nil, result.running, result.err
	}
	out, err := decodeOutput(result.text, input)
	return out, result.running, err
}

// place waits for a place of a run. A script has half of them at most:
// waiting for an answer keeps the place, and a slow host that one connection
// asks must not stop the sign-ins of the others (S105).
func (s *Script) place(ctx context.Context) (leave func(), err error) {
	leaveShare, err := s.share.enter(ctx)
	if err != nil {
		return nil, err
	}
	leaveRuns, err := s.engine.runs.enter(ctx)
	if err != nil {
		leaveShare()
		return nil, err
	}
	return func() { leaveRuns(); leaveShare() }, nil
}

// load runs the top level. It takes no place of a run: a script that sits on
// all of them is cured by loading a better one.
func (s *Script) load() *Error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), loadTimeout+s.wait, errWaited)
	defer cancel()
	r := s.newRun(ctx, turnLoad, loadTimeout)
	r.console = newConsole(s.redactor)
	return r.wait().err
}

// errWaited is the cause of a context that ended because the waiting time
// did.
var errWaited = errors.New("waiting time is over")

// over returns why ctx ended; kind is the word for the end of the waiting
// time.
func (s *Script) over(ctx context.Context, kind Kind) *Error {
	cause := context.Cause(ctx)
	switch {
	case !errors.Is(cause, errWaited):
		return &Error{Kind: KindCancelled, Message: "the sign-in ended while the script ran", cause: cause}
	case kind == KindBusy:
		return failure(kind, "other runs left no place within %v", s.wait)
	default:
		return failure(kind, "not finished after %v with waiting", s.wait)
	}
}
