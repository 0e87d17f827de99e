// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, ProgramType, type RunOptions } from "@skep/ebpf";
import type { ContextLayout } from "../context/context-layout.ts";
import { readContextValues, writeContextValues } from "../context/context-values.ts";
import { isValues } from "./input-rules.ts";
import type { VmRunOptions } from "./run-options.ts";

/** `data` and `data_end` of `struct xdp_md`. */
const XDP_DATA = 0;
const XDP_DATA_END = 4;

/**
 * A run's input as BPF_PROG_RUN of any engine takes it: a context given by names becomes bytes, and comes back as such; metadata
 * goes before the packet. Throws as `VmProgram.run` does for names and values that do not fit.
 */
export function rawRunOptions(layout: ContextLayout, options: VmRunOptions): RunOptions {
  const { context, metadata, ...rest } = options;
  const named = isValues(context);
  if (!named && metadata === undefined) return context === undefined ? rest : { ...rest, context };
  if (context instanceof Uint8Array) {
    throw new InvalidValueError("metadata is given with a context of bytes, which says itself where data begins");
  }
  if (layout.bytes !== undefined) throw new InvalidValueError(`context: ${layout.name} has no fields; give bytes`);
  const bytes = new Uint8Array(layout.size);
  const view = new DataView(bytes.buffer);
  if (context !== undefined) writeContextValues(layout, context, view, 0);
  const data = metadata === undefined ? options.data : joined(metadata, options.data ?? new Uint8Array());
  if (layout.programType === ProgramType.XDP) {
    view.setUint32(XDP_DATA, metadata?.length ?? 0, true);
    view.setUint32(XDP_DATA_END, data?.length ?? 0, true);
  }
  return {
    ...rest,
    ...(data !== undefined && { data }),
    context: bytes,
    contextOutSize: options.contextOutSize ?? layout.size,
  };
}

/** The fields of a context that came out of a run as bytes, by their names: those that programs of its type may read. */
export function namedContext(
  layout: ContextLayout,
  context: Uint8Array,
): Readonly<Record<string, number | bigint | number[]>> {
  return readContextValues(layout, new DataView(context.buffer, context.byteOffset, context.byteLength), 0);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
