// The half of the sandbox that is written in JavaScript. It is evaluated in
// every VM before the script and yields the function that boots it.
//
// It keeps the built-ins it uses before the script can replace them, so that
// a script that overrides JSON.parse still gets its context and still has its
// result understood. It is not a security boundary: what arrives from here,
// Go checks again. Its one duty towards the process is that nothing large
// crosses: a string that crosses is copied to the Go heap, which the VM's
// memory limit does not see.
//
// Below the first few lines nothing iterates (for-of, spread and destructuring
// of arrays): by then the script may have replaced the array iterator.
(function (maxOutput, maxDepth, maxConsole, maxMessage, maxRequest) {
  "use strict";

  const { apply, getPrototypeOf, defineProperty } = Reflect;
  const { keys, freeze, hasOwn, prototype: objectPrototype } = Object;
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const { slice, toLowerCase } = String.prototype;
  const { toString } = Error.prototype;
  const [text, Fault, Mistake, Later] = [String, Error, TypeError, Promise];
  const settle = Later.resolve;

  // The Go functions, which only this file can reach afterwards.
  const take = (name) => {
    const f = globalThis[name];
    delete globalThis[name];
    return f;
  };
  const [input, done, log, send, receive] =
    [take("brokerInput"), take("brokerDone"), take("brokerLog"), take("brokerSend"), take("brokerReceive")];

  // Growing a SharedArrayBuffer, this engine does not allocate what it grows
  // by: a script could read and write the memory of the process. Without
  // threads nobody needs it.
  delete globalThis.SharedArrayBuffer;
  delete globalThis.Atomics;

  // A finalizer that throws would have its exception, of any size, copied to
  // Go; and when it runs depends on the collector.
  delete globalThis.FinalizationRegistry;

  // An interrupt leaves the engine as an InternalError, and Go asks that for
  // its text. A script must not answer with 16 MiB of its own.
  const internal = InternalError.prototype;
  for (const name of ["toString", "stack", "fileName", "lineNumber", "columnNumber", Symbol.toPrimitive]) {
    defineProperty(internal, name, { value: name === "toString" ? toString : undefined, writable: true });
  }
  freeze(internal);

  const cut = (s, length) => (s.length > length ? apply(slice, s, [0, length]) : s);

  // Exceptions ---------------------------------------------------------------

  // describe never throws, whatever was thrown: a Proxy, a symbol, an object
  // whose getters throw.
  function describe(e) {
    try {
      if (typeof e === "object" && e !== null && typeof e.message === "string") {
        const { name, message } = e;
        return (typeof name === "string" && name !== "" ? cut(name, maxMessage) + ": " : "") + cut(message, maxMessage);
      }
      return cut(text(e), maxMessage);
    } catch {
      return "an exception that cannot be read";
    }
  }

  function stackOf(e) {
    try {
      return typeof e.stack === "string" ? cut(e.stack, maxMessage) : "";
    } catch {
      return "";
    }
  }

  // The engine throws null when memory does not even suffice for an error.
  const fail = (kind, e) => done(e === null ? "memory" : kind, describe(e), stackOf(e));

  // Result -------------------------------------------------------------------

  // encode is JSON.stringify without its silence: what JSON cannot hold is
  // refused with its path rather than left out or turned into null, which in
  // a result means "remove". Infinity is written as a number beyond all
  // doubles, so that one of the input finds back to its digits.
  let room = maxOutput;
  let refusal = "";

  function refuse(kind, message) {
    refusal = kind;
    throw new Mistake(message);
  }

  function spend(n) {
    room -= n;
    if (room < 0) refuse("output_size", "the result is larger than " + maxOutput + " bytes");
  }

  const at = (path) => (path === "" ? "the result" : path);

  function encode(value, path, depth) {
    if (typeof value === "object" && value !== null) {
      const toJSON = value.toJSON;
      if (typeof toJSON === "function") value = apply(toJSON, value, [""]);
    }
    switch (typeof value) {
      case "undefined":
        return undefined;
      case "boolean":
        spend(4);
        return value ? "true" : "false";
      case "number":
        spend(1);
        if (value !== value) refuse("wrong_type", at(path) + " is NaN");
        if (value === Infinity) return "1e999";
        if (value === -Infinity) return "-1e999";
        return value === 0 && 1 / value < 0 ? "-0" : text(value);
      case "string":
        spend(value.length + 2);
        return stringify(value);
      case "object":
        if (value === null) return "null";
        if (depth > maxDepth) refuse("wrong_type", cut(at(path), 100) + " is nested deeper than " + maxDepth + " levels, or cyclic");
        return isArray(value) ? encodeArray(value, path, depth) : encodeObject(value, path, depth);
      default:
        return refuse("wrong_type", at(path) + " is a " + typeof value);
    }
  }

  function encodeArray(array, path, depth) {
    const { length } = array;
    let out = "";
    for (let i = 0; i < length; i++) {
      spend(1);
      const item = encode(array[i], path + "[" + i + "]", depth + 1);
      if (item === undefined) refuse("wrong_type", path + "[" + i + "] is undefined");
      out += (i > 0 ? "," : "") + item;
    }
    return "[" + out + "]";
  }

  function encodeObject(object, path, depth) {
    const prototype = getPrototypeOf(object);
    if (prototype !== objectPrototype && prototype !== null) {
      refuse("wrong_type", at(path) + " is an instance of a class (a Map, a Set, ...); return a plain object or an array");
    }
    const names = keys(object);
    let out = "";
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const member = encode(object[name], (path === "" ? "" : path + ".") + cut(name, 100), depth + 1);
      if (member === undefined) continue;
      spend(name.length + 4);
      out += (out === "" ? "" : ",") + stringify(name) + ":" + member;
    }
    return "{" + out + "}";
  }

  // Console ------------------------------------------------------------------

  let open = true;

  function show(value) {
    if (typeof value === "string") return value;
    if (typeof value === "bigint") return text(value) + "n";
    if (typeof value !== "object" || value === null) return typeof value === "function" ? "[function]" : text(value);
    try {
      return typeof value.stack === "string" ? describe(value) : stringify(value) ?? "undefined";
    } catch {
      return "[object]";
    }
  }

  const console = {};
  for (const level of ["debug", "log", "info", "warn", "error"]) {
    console[level] = function () {
      let line = "";
      for (let i = 0; open && i < arguments.length && line.length < maxConsole; i++) {
        line += (i > 0 ? " " : "") + cut(show(arguments[i]), maxConsole);
      }
      if (open) open = log(level, line);
    };
  }

  // Fetch --------------------------------------------------------------------

  const pending = { __proto__: null };
  let sent = 0;
  let called = false;

  function request(url, options = {}) {
    if (!called) throw new Fault("fetch works inside the exported function only");
    const { method = "GET", headers = {}, body = null, ...others } = options;
    const unknown = keys(others);
    if (unknown.length > 0) {
      throw new Mistake("fetch: unknown option " + cut(unknown[0], 100) + "; the options are method, headers and body");
    }
    if (body !== null && typeof body !== "string") throw new Mistake("fetch: body must be a string; use JSON.stringify");
    const fields = { __proto__: null };
    const names = keys(headers);
    for (let i = 0; i < names.length; i++) fields[names[i]] = text(headers[names[i]]);
    const head = stringify({ __proto__: null, method: text(method), url: text(url), headers: fields });
    if (head.length + (body ?? "").length > maxRequest) throw new Mistake("fetch: the request is larger than " + maxRequest + " bytes");
    return { head, body };
  }

  function fetch(url, options) {
    return new Later((resolve, reject) => {
      const { head, body } = request(url, options);
      const id = ++sent;
      const refused = send(id, head, body);
      if (refused !== "") throw new Mistake("fetch: " + refused);
      pending[id] = { __proto__: null, resolve, reject };
    });
  }

  function answer(id) {
    const { resolve, reject } = pending[id];
    delete pending[id];
    let response;
    try {
      const { error, status, headers } = parse(receive(id, "head"));
      if (error) throw new Mistake("fetch: " + error);
      const body = receive(id, "body");
      const field = (name) => {
        name = apply(toLowerCase, text(name), []);
        return hasOwn(headers, name) ? headers[name] : null;
      };
      response = {
        status,
        ok: status >= 200 && status < 300,
        headers: { get: field, has: (name) => field(name) !== null },
        text: async () => body,
        json: async () => parse(body),
      };
    } catch (e) {
      return reject(e);
    }
    resolve(response);
  }

  // Life of a run ------------------------------------------------------------

  function require() {
    throw new Fault("require is not available: a script is one file, without npm packages or Node.js modules");
  }

  function noFetch() {
    throw new Fault("fetch is not available: name the hosts that the script may call, by allow_hosts");
  }

  function load(main) {
    const module = { exports: {} };
    try {
      apply(main, module.exports, [module.exports, module, require]);
      const { exports } = module;
      if (typeof exports === "function") return exports;
      done("no_function", typeof exports, "");
    } catch (e) {
      fail("exception", e);
    }
  }

  let returned;

  function start(main) {
    const f = load(main);
    if (f === undefined) return;
    called = true;
    try {
      returned = apply(settle, Later, [apply(f, undefined, [parse(input())])]);
    } catch (e) {
      return fail("exception", e);
    }
    finish();
  }

  // finish tells the outcome once the returned promise has settled. It may be
  // asked twice: where memory is short the engine can lose what waits for a
  // promise. await goes past Promise.prototype.then, which may not be the
  // engine's any more.
  async function finish() {
    let result;
    try {
      result = await returned;
    } catch (e) {
      return fail("rejected", e);
    }
    try {
      done("ok", encode(result, "", 0) ?? "null", "");
    } catch (e) {
      if (refusal !== "") return done(refusal, e.message, "");
      fail("exception", e);
    }
  }

  defineProperty(globalThis, "console", { value: console, writable: true, configurable: true });
  defineProperty(globalThis, "fetch", { value: send === undefined ? noFetch : fetch, writable: true, configurable: true });

  return (turn, argument) => (turn === 0 ? load(argument) : turn === 1 ? start(argument) : turn === 2 ? answer(argument) : finish());
})
