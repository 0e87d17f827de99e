// SPDX-License-Identifier: Apache-2.0

import type { VmMemory } from "../memory/vm-memory.ts";
import type { RunState } from "../run/run-state.ts";

/**
 * What a helper is given in a register, and what JavaScript gets of it:
 *
 * | kind | JavaScript |
 * |---|---|
 * | `u32`, `i32` | number of the lower 32 bits |
 * | `u64`, `i64` | number, exact to 2^53 |
 * | `bigint` | bigint of all 64 bits, unsigned; five times as slow |
 * | `context` | number: the address of the program's context |
 * | `map` | the VmMap |
 * | `address` | number: the address as it is, unchecked |
 * | `{ read: n }`, `{ write: n }` | Uint8Array over n bytes of the program's memory, which were checked |
 * | `{ readSized: i }`, `{ writeSized: i }` | the same, of as many bytes as argument i says, which is a number too |
 * | `callback` | number: a function of the program, for {@link HelperFrame.call} |
 *
 * Where an argument is `nullable`, a null pointer gives undefined; elsewhere it is a fault like any other wild pointer.
 */
export type HelperParameter =
  | "u32"
  | "i32"
  | "u64"
  | "i64"
  | "bigint"
  | "context"
  | "map"
  | "address"
  | "callback"
  | { readonly read: number; readonly nullable?: boolean }
  | { readonly write: number; readonly nullable?: boolean }
  | { readonly readSized: number; readonly nullable?: boolean }
  | { readonly writeSized: number; readonly nullable?: boolean };

/**
 * What a helper leaves in r0: `i32` sign-extended as kernel errors are, `u32` zero-extended, `i64` and `u64` from a number,
 * `address` from a number, `bigint`, or `void`, which leaves 0.
 */
export type HelperResult = "i32" | "u32" | "i64" | "u64" | "address" | "bigint" | "void";

/** What a helper can reach. One a program in a worker, the same for every call. */
export interface HelperFrame {
  readonly memory: VmMemory;
  /** Of the run at hand. */
  readonly state: RunState;
  /** Calls a callback with up to 5 arguments and returns its r0. */
  call(callback: number, ...args: readonly number[]): number;
  /** A callback of the program at hand, to be called when this run is over: each call is a run of its own. */
  bind(callback: number): (...args: readonly number[]) => number;
  /** Of the link that the run came by (`bpf_get_attach_cookie`); 0n without. */
  readonly attachCookie: bigint;
  /** Of what the program is attached to (`bpf_get_func_ip`); 0 without. */
  readonly functionAddress: number;
}

/** A helper in JavaScript: its number in the UAPI or the host's own, its signature, and what it does. */
export interface Helper {
  /** As in `call imm`; the UAPI's (`BPF_FUNC_*`) or the host's own from {@link FIRST_HOST_HELPER} on. */
  readonly id: number;
  /** Without `bpf_`. */
  readonly name: string;
  readonly parameters: readonly HelperParameter[];
  readonly result: HelperResult;
  /** Called with the parameters' values. What it throws ends the program with a VmFault whose cause it is. */
  // biome-ignore lint/suspicious/noExplicitAny: the parameters say what it is called with, value by value
  // biome-ignore lint/suspicious/noConfusingVoidType: a helper without a result returns nothing
  readonly call: (frame: HelperFrame, ...args: any[]) => number | bigint | void;
}

/** Numbers of the kernel's helpers stay below it. */
export const FIRST_HOST_HELPER = 0x1000;
