// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, ProgramType } from "@skep/ebpf";
import type { ContextLayout } from "../context/context-layout.ts";
import { readContextValues } from "../context/context-values.ts";
import { flowDissectorInput } from "./flow-dissector-input.ts";
import { type InputRules, isValues, NO_BYTES } from "./input-rules.ts";
import { bytesInput, fieldsInput } from "./plain-input.ts";
import { redirectOf } from "./redirect-record.ts";
import { NO_MESSAGE } from "./run-extras.ts";
import type { VmRunOptions, VmRunResult } from "./run-options.ts";
import type { RunRoom } from "./run-room.ts";
import { skLookupInput } from "./sk-lookup-input.ts";
import { skbInput } from "./skb-input.ts";
import { xdpInput } from "./xdp-input.ts";

function rulesOf(layout: ContextLayout): InputRules {
  if (layout.bytes !== undefined) return bytesInput;
  switch (layout.programType) {
    case ProgramType.XDP:
      return xdpInput;
    case ProgramType.FLOW_DISSECTOR:
      return flowDissectorInput;
    case ProgramType.SK_LOOKUP:
      return skLookupInput;
    case ProgramType.SOCKET_FILTER:
    case ProgramType.SCHED_CLS:
    case ProgramType.SCHED_ACT:
    case ProgramType.CGROUP_SKB:
    case ProgramType.LWT_IN:
    case ProgramType.LWT_OUT:
    case ProgramType.LWT_XMIT:
    case ProgramType.LWT_SEG6LOCAL:
      return skbInput;
    default:
      return fieldsInput;
  }
}

/** The input and output of one program's runs in one worker's room. */
export class ProgramInput {
  readonly #room: RunRoom;
  readonly #layout: ContextLayout;
  readonly #rules: InputRules;

  constructor(room: RunRoom, layout: ContextLayout) {
    this.#room = room;
    this.#layout = layout;
    this.#rules = rulesOf(layout);
  }

  /**
   * Puts packet and context in their places, opens them to the program and sets the state for a run. Returns the context's
   * address, which goes into r1. Throws InvalidValueError where BPF_PROG_RUN has an errno, naming it.
   */
  prepare(options: VmRunOptions): number {
    refuseFlags(options, this.#layout);
    this.#rules.prepare(this.#room, this.#layout, options);
    if (options.tunnel !== undefined) this.#room.tunnel = options.tunnel;
    return this.#room.context;
  }

  /**
   * What came of a run: `returned` is r0, `duration` nanoseconds. Throws InvalidValueError when packet or context are longer
   * than the options allow (ENOSPC); those of {@link VmRunOptions.dataOutSize} allow any unless given.
   */
  finish(options: VmRunOptions, returned: number, duration: number): VmRunResult {
    const room = this.#room;
    const data = this.#rules.data(room, this.#layout, options);
    if (options.dataOutSize !== undefined && data.length > options.dataOutSize)
      throw tooLong("data", data.length, options.dataOutSize);
    const named = isValues(options.context);
    const size = options.contextOutSize ?? 0;
    const context = named || size > 0 ? this.#rules.context(room, this.#layout, options) : NO_BYTES;
    if (size > 0 && context.length > size) throw tooLong("context", context.length, size);
    const redirect = redirectOf(room.state);
    const socket = room.state.assignedSocket;
    return {
      returned: returned >>> 0,
      duration,
      data,
      context,
      ...(named && { values: readContextValues(this.#layout, new DataView(context.buffer), context.byteOffset) }),
      ...(redirect !== undefined && { redirect }),
      ...(room.clones.length > 0 && { clones: room.clones }),
      ...(socket !== 0 && { socket }),
      ...(room.tunnel.key !== undefined && { tunnel: room.tunnel }),
      ...(room.message !== NO_MESSAGE && { message: room.message }),
    };
  }
}

/** Flags, CPUs and batches are for what only a kernel has; types that are run once have no `repeat` (EINVAL). */
function refuseFlags({ flags = 0, cpu = 0, batchSize = 0, repeat = 0 }: VmRunOptions, layout: ContextLayout): void {
  if (flags === 0 && cpu === 0 && batchSize === 0 && (repeat === 0 || layout.bytes === undefined)) return;
  const rawTracepoint = layout.programType === ProgramType.RAW_TRACEPOINT;
  if (repeat !== 0 && (rawTracepoint || layout.programType === ProgramType.SYSCALL)) {
    throw new InvalidValueError(`repeat is ${repeat}, but programs with ${layout.name} run once (EINVAL)`);
  }
  // A raw tracepoint may be run on a CPU of choice; here they are all the same.
  const allowed = rawTracepoint
    ? batchSize === 0 && (cpu === 0 || flags !== 0)
    : flags === 0 && cpu === 0 && batchSize === 0;
  if (!allowed) {
    throw new InvalidValueError(
      `flags ${flags}, cpu ${cpu}, batchSize ${batchSize} are not for ${layout.name} here (EINVAL)`,
    );
  }
}

function tooLong(what: "data" | "context", found: number, room: number): InvalidValueError {
  return new InvalidValueError(`${what} came out with ${found} bytes; ${what}OutSize leaves room for ${room} (ENOSPC)`);
}
