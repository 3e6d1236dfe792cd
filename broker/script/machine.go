package script

import (
	"errors"
	"fmt"

	"modernc.org/quickjs"
)

// What a machine can be told to do; the numbers are the prelude's.
type turn int

const (
	turnLoad   turn = iota // run the top level; argument: the script
	turnStart              // load, then call the function; argument: the script
	turnAnswer             // hand over an answer to fetch; argument: its number
	turnAgain              // tell the outcome after all
)

// A machine is one VM with the prelude and one script in it. It belongs to
// one goroutine.
type machine struct {
	vm    *quickjs.VM
	main  quickjs.Value // the script, wrapped in a function
	entry quickjs.Value // what the prelude offers

	// fault is what a host function panicked with.
	fault error
}

// newMachine makes the VM of one run. The script has not run yet; the host
// functions are for the prelude only.
func newMachine(s *Script, host map[string]quickjs.HostFunc) (*machine, error) {
	vm, err := quickjs.NewVM()
	if err != nil {
		return nil, err
	}
	m := &machine{vm: vm}
	if err := m.boot(s, host); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *machine) boot(s *Script, host map[string]quickjs.HostFunc) error {
	m.vm.SetMemoryLimit(s.engine.memory)
	m.vm.SetMaxStackSize(maxStack)
	// Atomics.wait would block the goroutine where no interrupt reaches it.
	// (The prelude takes Atomics away, too, for a worse reason.)
	m.vm.SetCanBlock(false)
	for name, f := range host {
		if err := m.vm.RegisterHostFunc(name, m.recovered(name, f)); err != nil {
			return err
		}
	}
	boot, err := m.vm.EvalBytecodeValue(s.prelude)
	if err != nil {
		return fmt.Errorf("evaluating the prelude: %w", err)
	}
	defer boot.Free()
	m.entry, err = boot.CallValue(quickjs.UndefinedValue, maxOutput, maxDepth, maxConsole, maxMessage, maxRequest)
	if err != nil {
		return fmt.Errorf("booting the prelude: %w", err)
	}
	m.main, err = m.vm.EvalBytecodeValue(s.main)
	if err != nil {
		return fmt.Errorf("reading the script: %w", err)
	}
	return nil
}

// call begins a turn. The arguments never allocate in the VM: the engine
// does not check whether an argument it converts had room.
func (m *machine) call(what turn, answer int) error {
	var argument any = answer
	if what == turnLoad || what == turnStart {
		argument = m.main
	}
	result, err := m.entry.CallValue(quickjs.UndefinedValue, int(what), argument)
	if err != nil {
		return err
	}
	result.Free()
	return nil
}

// jobs runs what promises have queued. more means that the engine stopped
// before the end of the queue, which it does after a million jobs.
func (m *machine) jobs() (more bool, err error) {
	_, err = m.vm.ExecutePendingJobs()
	if _, ok := errors.AsType[*quickjs.Error](err); err != nil && !ok {
		return true, nil
	}
	return false, err
}

// close frees the VM. It must not be used afterwards, even if freeing
// panicked.
func (m *machine) close() {
	for _, v := range []*quickjs.Value{&m.entry, &m.main} {
		if v.VM() != nil {
			v.Free()
		}
	}
	_ = m.vm.Close() // never fails
}

// recovered turns a panic of a host function into an exception, and keeps it
// as the fault, whatever the script makes of the exception. A panic has no
// business in the engine's frames: what it leaves there is the engine's
// guess, and a VM that has to be abandoned is memory lost (R57).
func (m *machine) recovered(name string, f quickjs.HostFunc) quickjs.HostFunc {
	return func(args []any) (result any, err error) {
		defer func() {
			if p := recover(); p != nil {
				m.fault = fmt.Errorf("%s: panic: %v", name, p)
				result, err = nil, m.fault
			}
		}()
		return f(args)
	}
}
