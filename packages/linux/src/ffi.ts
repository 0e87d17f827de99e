// SPDX-License-Identifier: Apache-2.0

import { createRequire } from "node:module";
import type koffi from "koffi";

/** A callback-style call on libuv's thread pool: `error` is set when the call could not be made at all. */
export type AsyncSystemCall = (
  number: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
  done: (error: unknown, result: number) => void,
) => void;

/** Watches one descriptor on the event loop (uv_poll). */
export interface PollHandle {
  /** Begins to watch for input; `callback` runs on every turn of the loop on which the descriptor is readable. */
  start(options: { readable: boolean }, callback: (status: number) => void): void;
  stop(): void;
  /** Must come before the descriptor is closed: libuv aborts the process otherwise. */
  close(): void;
  ref(): void;
  unref(): void;
}

/**
 * All that Skep asks of a foreign-function library. This file is the only one that knows koffi, so that
 * another library (Node's own, one day) can take its place.
 *
 * Pointers are numbers: Linux hands out user addresses below 2^47 (2^52 at most), which a number holds exactly.
 */
export interface Ffi {
  /** libc's `syscall(2)` with the three arguments of bpf(2). -1 on failure, then see {@link Ffi.errno}. */
  readonly bpf: (number: number, command: number, attr: number, size: number) => number;
  /** libc's `syscall(2)`. -1 on failure, then see {@link Ffi.errno}. */
  readonly syscall: (number: number, a: number, b: number, c: number, d: number, e: number, f: number) => number;
  /** The same on libuv's thread pool: 6 to 13 microseconds a call, so only for waiting. */
  readonly syscallAsync: AsyncSystemCall;
  /** errno of the last call that failed on this thread. */
  readonly errno: () => number;
  /** Address of a buffer's memory, 0 when it is empty. V8 never moves an ArrayBuffer's memory. */
  readonly address: (buffer: ArrayBufferLike) => number;
  /** An ArrayBuffer over foreign memory, without a copy. Nothing ties it to the memory's life. */
  readonly view: (address: number, length: number) => ArrayBuffer;
  /** Makes a started poll handle; undefined when the library has none. */
  readonly poll: ((fd: number, callback: (status: number) => void) => PollHandle) | undefined;
}

let loaded: Ffi | undefined;

/**
 * The foreign-function interface, loaded on first use so that importing this package does nothing.
 * Throws when the platform is not Linux or koffi has no native part for it.
 */
export function ffi(): Ffi {
  loaded ??= loadFfi();
  return loaded;
}

/** Whether this process runs where system calls can be made: Linux on x86-64 or arm64, koffi present. */
export function isSupported(): boolean {
  return unsupportedReason() === undefined;
}

/** Why system calls cannot be made here, or undefined when they can. */
export function unsupportedReason(): string | undefined {
  if (process.platform !== "linux") return `system calls need Linux, this is ${process.platform}`;
  if (process.arch !== "x64" && process.arch !== "arm64") {
    return `system calls need x86-64 or arm64, this is ${process.arch}`;
  }
  try {
    ffi();
    return undefined;
  } catch (error) {
    return `koffi does not load: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function loadFfi(): Ffi {
  if (process.platform !== "linux") throw new Error(`system calls need Linux, this is ${process.platform}`);
  const library = createRequire(import.meta.url)("koffi") as typeof koffi;
  const libc = library.load(null);
  // Not variadic, although the header says so: on both architectures libc's syscall() takes its arguments
  // from the registers of an ordinary call, and koffi is twice as slow with variadic ones.
  const call = libc.func("syscall", "long", ["long", ...Array<string>(6).fill("uintptr_t")]);
  return {
    bpf: libc.func("syscall", "long", ["long", "int", "uintptr_t", "uint32_t"]) as Ffi["bpf"],
    syscall: call as Ffi["syscall"],
    syscallAsync: call.async as AsyncSystemCall,
    errno: library.errno as () => number,
    address: (buffer) => (buffer.byteLength === 0 ? 0 : Number(library.address(buffer))),
    view: (address, length) => library.view(BigInt(address), length),
    poll: typeof library.node?.poll === "function" ? pollBy(library.node.poll) : undefined,
  };
}

function pollBy(poll: typeof koffi.node.poll): NonNullable<Ffi["poll"]> {
  // koffi's types leave out that it passes libuv's status first.
  return (fd, callback) => poll(fd, { readable: true }, callback as never) as unknown as PollHandle;
}
