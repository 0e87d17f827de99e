// SPDX-License-Identifier: Apache-2.0

import type { RegionAccess, VmMemory } from "../memory/vm-memory.ts";
import type { ContextLayout } from "./context-layout.ts";

/** Regions are told apart by 8 bytes. */
const GRANULE = 8;

/** A part of a context that programs may touch in one way. */
interface Part {
  readonly offset: number;
  readonly length: number;
  readonly access: RegionAccess;
}

const parts = new WeakMap<ContextLayout, readonly Part[]>();

/**
 * Opens a context that lies at an address, a multiple of 8: what its fields allow, to the 8 bytes. Two fields in the same 8
 * bytes have the rights of either; a verifier knows better. `size` is how many bytes there are of a context without fields.
 */
export function openContext(memory: VmMemory, layout: ContextLayout, address: number, size: number): void {
  if (layout.bytes !== undefined) {
    memory.setRegion(address, size, layout.bytes.writable ? "write" : "read");
    return;
  }
  let known = parts.get(layout);
  if (known === undefined) {
    known = partsOf(layout);
    parts.set(layout, known);
  }
  for (const { offset, length, access } of known) memory.setRegion(address + offset, length, access);
}

/** Closes to programs what `openContext` opened; the bytes stay as they are. */
export function closeContext(memory: VmMemory, address: number, size: number): void {
  memory.setRegion(address, size, "none");
}

function partsOf(layout: ContextLayout): Part[] {
  const found: { offset: number; length: number; access: RegionAccess }[] = [];
  for (let offset = 0; offset < layout.size; offset += GRANULE) {
    const access = accessOf(layout, offset);
    const length = Math.min(GRANULE, layout.size - offset);
    const last = found.at(-1);
    if (last !== undefined && last.access === access) last.length += length;
    else found.push({ offset, length, access });
  }
  return found;
}

function accessOf(layout: ContextLayout, offset: number): RegionAccess {
  let access: RegionAccess = "none";
  for (const field of layout.fields) {
    const end = field.offset + field.size * field.count;
    if (field.offset >= offset + GRANULE || end <= offset) continue;
    if (field.write !== 0) return "write";
    if (field.read !== 0) access = "read";
  }
  return access;
}
