// One JSON value a line over standard input and output: how the Go tests talk
// to the scripts beside this file. A script first announces itself with
// one line, then answers each command line {"do": name, ...} with one line,
// {"ok": result} or {"error": {...}}, in order.
//
// Import this module first: libraries print notices while they load, and only
// announcements and answers may reach standard output.

import { createInterface } from 'node:readline';

console.log = console.error;
console.info = console.error;

export function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

// The script's configuration: one JSON object, its only argument.
export function config() {
  return JSON.parse(process.argv[2] ?? '{}');
}

// serve answers commands until standard input ends, then ends the process. The
// test's end of the pipe closes even when the test is killed, so no script
// outlives its test.
export async function serve(commands = {}) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: name, ...args } = JSON.parse(line);
    try {
      if (!Object.hasOwn(commands, name)) {
        throw new Error(`unknown command ${name}; there are: ${Object.keys(commands).join(', ')}`);
      }
      say({ ok: (await commands[name](args)) ?? null });
    } catch (err) {
      say({ error: describe(err) });
    }
  }
  process.exit(0);
}

// The libraries tell the protocol error apart from their own verdict ("code")
// and hang the reason below it ("cause"). Tests match on all of them.
function describe(err) {
  return {
    message: [err.message, err.cause?.message].filter(Boolean).join(': '),
    code: err.code,
    error: err.error,
    error_description: err.error_description,
    status: err.status,
  };
}
