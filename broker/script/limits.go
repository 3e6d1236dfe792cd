package script

import "time"

// Defaults of a [Config] that sets none.
const (
	// DefaultTimeout is how long the script may run, all turns together.
	DefaultTimeout = 50 * time.Millisecond
	// DefaultWait is how long a run may take with all waiting.
	DefaultWait = 2 * time.Second
)

// Limits that are the same for every script.
const (
	maxRuns   = 8
	maxShare  = maxRuns / 2 // of one script
	maxMemory = 16 << 20

	// reserve is the memory in which to tell that there was too little.
	reserve = 256 << 10

	// maxStack is in slots of the engine's stack: four per level where
	// calls go through callbacks (256 levels), one for plain calls. The
	// engine's own default is the most that is safe.
	maxStack = 1040

	maxSource  = 256 << 10
	maxInput   = 256 << 10
	maxOutput  = 64 << 10
	maxConsole = 8 << 10
	maxDepth   = 100 // of nested objects and arrays

	// maxMessage is what of an exception leaves the VM, in UTF-16 units;
	// maxShown is what of it an [Error] shows, in characters.
	maxMessage = 2000
	maxShown   = 200

	// loadTimeout bounds a script's top level while the configuration
	// loads, when the machine is busy with much else.
	loadTimeout = time.Second
)

// Limits of fetch.
const (
	maxCalls    = 5
	callTimeout = time.Second
	maxRequest  = 1 << 20
	maxResponse = 1 << 20
)
