// SPDX-License-Identifier: Apache-2.0

/** What a case found is not what every engine must do. */
export class SuiteFailure extends Error {
  override readonly name = "SuiteFailure";
}

/** Throws SuiteFailure, saying `what`, unless the condition holds. */
export function ok(condition: boolean, what: string): asserts condition {
  if (!condition) throw new SuiteFailure(what);
}

/**
 * Throws SuiteFailure unless both are the same, compared through arrays, objects, byte arrays and their types. `what` names
 * the thing in the message.
 */
export function equal(found: unknown, wanted: unknown, what = "the result"): void {
  if (!same(found, wanted)) throw new SuiteFailure(`${what} is ${text(found)}, wanted is ${text(wanted)}`);
}

/** What a call throws. Throws SuiteFailure when it returns. */
export function thrownBy(call: () => unknown, what = "the call"): unknown {
  let returned: unknown;
  try {
    returned = call();
  } catch (error) {
    return error;
  }
  throw new SuiteFailure(`${what} returned ${text(returned)}, an error was wanted`);
}

/** Throws SuiteFailure unless a call throws an error of a class. Returns the error. */
export function throwsA<E extends Error>(
  type: abstract new (...args: never[]) => E,
  call: () => unknown,
  what = "the call",
): E {
  const error = thrownBy(call, what);
  if (error instanceof type) return error;
  throw new SuiteFailure(`${what} threw ${text(error)}, wanted is ${type.name}`, { cause: error });
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (ArrayBuffer.isView(a) || ArrayBuffer.isView(b)) return sameBytes(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && same(Reflect.get(a, key), Reflect.get(b, key)));
}

function sameBytes(a: object, b: object): boolean {
  // A Buffer is as good as any other array of bytes.
  if (!(a instanceof Uint8Array && b instanceof Uint8Array) || a.length !== b.length) return false;
  return a.every((byte, index) => byte === b[index]);
}

/** A value as a person reads it: bytes in hexadecimal. */
function text(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Uint8Array) {
    return `<${value.length} bytes: ${Array.from(value.subarray(0, 128), (byte) => byte.toString(16).padStart(2, "0")).join("")}>`;
  }
  if (value instanceof Error) return `${value.constructor.name}: ${value.message}`;
  if (Array.isArray(value)) return `[${value.map(text).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, each]) => `${key}: ${text(each)}`)
      .join(", ")} }`;
  }
  return String(value);
}
