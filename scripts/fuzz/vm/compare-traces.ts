// SPDX-License-Identifier: Apache-2.0

import type { Trace } from "./engine-side.ts";
import { REGISTERS_SIZE } from "./fuzz-maps.ts";

/** Where two runs of a program differ, a line each; none when they agree. */
export function compareTraces(wanted: Trace, found: Trace): string[] {
  const differences: string[] = [];
  for (const name of new Set([...wanted.keys(), ...found.keys()])) {
    const a = wanted.get(name);
    const b = found.get(name);
    if (a !== undefined && b !== undefined && equal(a, b)) continue;
    if (name === "dump" && a !== undefined && b !== undefined) differences.push(...compareDumps(a, b));
    else differences.push(`${name}: wanted ${hex(a)}, found ${hex(b)}`);
  }
  return differences;
}

/** A dump by registers and words of the stack. */
function compareDumps(wanted: Uint8Array, found: Uint8Array): string[] {
  const differences: string[] = [];
  for (let at = 0; at < wanted.length; at += 8) {
    const a = wanted.subarray(at, at + 8);
    const b = found.subarray(at, at + 8);
    if (equal(a, b)) continue;
    const register = (at - wanted.length + REGISTERS_SIZE) / 8;
    const name = register >= 0 ? `r${register}` : `stack ${at - wanted.length}`;
    differences.push(`${name}: wanted ${word(a)}, found ${word(b)}`);
  }
  return differences;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "nothing" : `${bytes.length} bytes ${Buffer.from(bytes).toString("hex")}`;
}

function word(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).reverse().toString("hex")}`;
}
