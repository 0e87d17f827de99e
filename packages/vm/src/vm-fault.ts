// SPDX-License-Identifier: Apache-2.0

import { SkepError, type SkepErrorOptions, type SourceLine, sourcePlace } from "@skep/ebpf";
import type { VmMemory } from "./memory/vm-memory.ts";

/**
 * Why a run ended:
 *
 * | reason | |
 * |---|---|
 * | `memory` | an address where there is no memory |
 * | `region` | memory that the program may not touch, or may only read |
 * | `alignment` | an atomic operation, a lock or a timer at an address that is no multiple of its size |
 * | `fuel` | more steps than the run was given |
 * | `depth` | more calls within calls than there may be |
 * | `call` | a call of what is no function |
 * | `helper` | a helper threw, or was used as the kernel's verifier would not have it |
 */
export type VmFaultReason = "memory" | "region" | "alignment" | "fuel" | "depth" | "call" | "helper";

/** Where in a program. */
export interface VmFaultPlace {
  readonly program: string;
  /** Counted in 8-byte slots, as everywhere; undefined when the engine cannot tell. */
  readonly instruction: number | undefined;
  /** The line of C; undefined without line information. */
  readonly source: SourceLine | undefined;
}

/** What is known besides the reason and the words. */
export interface VmFaultOptions extends SkepErrorOptions {
  /** The address that was touched; a bigint where 64 bits count. */
  readonly address?: number | bigint;
  readonly place?: VmFaultPlace;
}

/**
 * A program did what it must not, and its run was ended: `program "count", instruction 41 (prog.bpf.c:17: *p = 1): wrote
 * 4 bytes at 0x0, where there is no memory`. What it had written until then stays written. The code is `ERR_VM_FAULT`.
 */
export class VmFault extends SkepError {
  readonly reason: VmFaultReason;
  /** What happened, without the place: `wrote 4 bytes at 0x0, where there is no memory`. */
  readonly what: string;
  /** Undefined when a helper met with it outside of a run. */
  readonly program: string | undefined;
  readonly instruction: number | undefined;
  readonly source: SourceLine | undefined;
  /** Of the memory, for faults that have one. */
  readonly address: number | bigint | undefined;

  constructor(reason: VmFaultReason, what: string, { address, place, ...options }: VmFaultOptions = {}) {
    super("ERR_VM_FAULT", place === undefined ? what : `${describePlace(place)}: ${what}`, options);
    this.reason = reason;
    this.what = what;
    this.address = address;
    this.program = place?.program;
    this.instruction = place?.instruction;
    this.source = place?.source;
  }

  /** The same fault with its place, which what throws it inside a helper does not know; itself when it has one. */
  at(place: VmFaultPlace): VmFault {
    if (this.program !== undefined) return this;
    return new VmFault(this.reason, this.what, {
      place,
      ...(this.address !== undefined && { address: this.address }),
      ...(this.cause !== undefined && { cause: this.cause }),
    });
  }
}

/** The fault of an access that {@link VmMemory.mayAccess} denies: no memory there, or none that is the program's. */
export function accessFault(
  memory: VmMemory,
  access: "read" | "write",
  address: number | bigint,
  length: number,
): VmFault {
  const bytes = `${length} byte${length === 1 ? "" : "s"}`;
  const what = `${access === "read" ? "read" : "wrote"} ${bytes} at 0x${address.toString(16)}`;
  const near = Number(address);
  const index = memory.index(near);
  if (!(index >= 0 && index + length <= memory.bytes.length)) {
    return new VmFault("memory", `${what}, where there is no memory`, { address });
  }
  const readable = access === "write" && memory.mayAccess(near, length, "read");
  return new VmFault("region", `${what}, which the program may ${readable ? "only read" : "not touch"}`, { address });
}

function describePlace({ program, instruction, source }: VmFaultPlace): string {
  const parts = [`program "${program}"`];
  if (instruction !== undefined) parts.push(`instruction ${instruction}`);
  if (source === undefined) return parts.join(", ");
  const line = [sourcePlace({ ...source, column: undefined }), source.text].filter((part) => part !== "").join(": ");
  return line === "" ? parts.join(", ") : `${parts.join(", ")} (${line})`;
}
