// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";
import type { ContextLayout } from "../context/context-layout.ts";
import { type ContextValues, writeContextValues } from "../context/context-values.ts";
import type { VmRunOptions } from "./run-options.ts";
import type { RunRoom } from "./run-room.ts";

/** How runs of a program type take their input and give their output. */
export interface InputRules {
  /** Puts packet and context in their places. Throws InvalidValueError where BPF_PROG_RUN has an errno. */
  prepare(room: RunRoom, layout: ContextLayout, options: VmRunOptions): void;
  /** What comes out as the packet: a copy. */
  data(room: RunRoom, layout: ContextLayout, options: VmRunOptions): Uint8Array;
  /** The context as BPF_PROG_RUN gives it back: a copy, or what went in where that is as it was. */
  context(room: RunRoom, layout: ContextLayout, options: VmRunOptions): Uint8Array;
}

/** Nothing comes out. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Whether a context is given by its fields' names. */
export function isValues(context: VmRunOptions["context"]): context is ContextValues {
  return context !== undefined && !(context instanceof Uint8Array);
}

/**
 * The bytes of a context that was given as such: up to `size` of them, what is beyond being 0 (E2BIG). Undefined when it was
 * given by names, or not at all.
 */
export function rawContext(context: VmRunOptions["context"], layout: ContextLayout): Uint8Array | undefined {
  if (!(context instanceof Uint8Array)) return undefined;
  for (let i = layout.size; i < context.length; i++) {
    if (context[i] !== 0) {
      throw new InvalidValueError(`context: byte ${i} is set, but ${layout.name} ends at ${layout.size} (E2BIG)`);
    }
  }
  return context.length > layout.size ? context.subarray(0, layout.size) : context;
}

/** Writes the fields that were given by names, if any were. */
export function writeValues(room: RunRoom, layout: ContextLayout, context: VmRunOptions["context"]): void {
  if (!isValues(context)) return;
  writeContextValues(layout, context, room.memory.view, room.memory.index(room.context));
}

/** Throws for the first byte that is set outside of the ranges `[from, to)` that may be (EINVAL). */
export function refuseOthers(
  context: Uint8Array,
  layout: Pick<ContextLayout, "name" | "fields">,
  allowed: readonly (readonly [number, number])[],
): void {
  let at = 0;
  for (const [from, to] of [...allowed, [context.length, context.length] as const]) {
    for (; at < Math.min(from, context.length); at++) {
      if (context[at] !== 0) throw new InvalidValueError(`context: ${fieldAt(layout, at)} cannot be given (EINVAL)`);
    }
    at = Math.max(at, to);
  }
}

function fieldAt(layout: Pick<ContextLayout, "name" | "fields">, offset: number): string {
  const field = layout.fields.find((each) => offset >= each.offset && offset < each.offset + each.size * each.count);
  return field === undefined ? `byte ${offset} of ${layout.name}` : `${layout.name}.${field.name}`;
}

/** The packet of a type that needs one. `least` bytes at least (EINVAL). */
export function packetOf(options: VmRunOptions, layout: ContextLayout, least: number): Uint8Array {
  const length = options.data?.length ?? 0;
  if (options.data === undefined || length < least) {
    throw new InvalidValueError(`data has ${length} bytes; a packet for ${layout.name} has ${least} or more (EINVAL)`);
  }
  return options.data;
}

/** Refuses a packet for types that take none (EINVAL). */
export function refusePacket(options: VmRunOptions, layout: ContextLayout): void {
  if (options.data !== undefined)
    throw new InvalidValueError(`data: a run with ${layout.name} takes no packet (EINVAL)`);
  if (options.metadata !== undefined) throw new InvalidValueError("metadata lies before a packet, and there is none");
}

/** Refuses metadata for types whose packets have none. */
export function refuseMetadata(options: VmRunOptions, layout: ContextLayout): void {
  if (options.metadata !== undefined) throw new InvalidValueError(`metadata: ${layout.name} has no data_meta here`);
}

/** Writes the bounds of the packet into the context, and its length where that has a field. */
export function writePacketFields(room: RunRoom, layout: ContextLayout): void {
  const { packet } = layout;
  if (packet === undefined) return;
  const { state, memory } = room;
  const at = memory.index(room.context);
  const { view } = memory;
  view.setUint32(at + packet.data, state.packetData, true);
  view.setUint32(at + packet.dataEnd, state.packetDataEnd, true);
  if (packet.dataMeta !== undefined) view.setUint32(at + packet.dataMeta, state.packetMeta, true);
  if (packet.length !== undefined) view.setUint32(at + packet.length, state.packetDataEnd - state.packetData, true);
}

/** The whole context, with addresses in the packet as offsets from its first byte, as the kernel gives those of XDP back. */
export function contextBytes(room: RunRoom, layout: ContextLayout, size: number): Uint8Array {
  const { memory, state } = room;
  const bytes = memory.slice(room.context, size).slice();
  const { packet } = layout;
  if (packet === undefined) return bytes;
  const view = new DataView(bytes.buffer);
  const first = packet.dataMeta === undefined ? state.packetData : state.packetMeta;
  view.setUint32(packet.data, state.packetData - first, true);
  view.setUint32(packet.dataEnd, state.packetDataEnd - first, true);
  if (packet.dataMeta !== undefined) view.setUint32(packet.dataMeta, 0, true);
  return bytes;
}
