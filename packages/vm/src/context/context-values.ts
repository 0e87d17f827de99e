// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, NotFoundError, programTypeName } from "@skep/ebpf";
import type { ContextField, ContextLayout } from "./context-layout.ts";

/** Something that lies in an engine's memory and has a field's address: a virtual socket. */
export interface AddressedObject {
  readonly address: number;
}

/**
 * What a field of a context holds: a number up to 32 bits, a bigint for 64 (a number is taken too), an array of numbers for
 * an array, an object of the engine for `sk`.
 */
export type ContextValue = number | bigint | readonly number[] | Uint8Array | AddressedObject;

/** Fields of a context by their names, such as `{ ingress_ifindex: 2, mark: 7 }`; those that are not named hold 0. */
export type ContextValues = Readonly<Record<string, ContextValue>>;

/**
 * Writes named fields into a context that holds zeros or what the engine computed. Throws NotFoundError for a name that the
 * context does not have, InvalidValueError for a field that the program type cannot see or that the engine computes, and for a
 * value out of its field's range.
 */
export function writeContextValues(layout: ContextLayout, values: ContextValues, view: DataView, at: number): void {
  for (const name in values) {
    const value = values[name];
    if (value === undefined) continue;
    const field = layout.fields.find((each) => each.name === name);
    if (field === undefined) {
      throw new NotFoundError(`field of ${layout.name}`, name, visibleNames(layout));
    }
    refuseField(layout, field);
    writeField(layout, field, value, view, at + field.offset);
  }
}

/** The fields of a context that the program type may read. Addresses in a packet are offsets from its first byte. */
export function readContextValues(
  layout: ContextLayout,
  view: DataView,
  at: number,
): Record<string, number | bigint | number[]> {
  const values: Record<string, number | bigint | number[]> = {};
  for (const field of layout.fields) {
    if (field.read === 0) continue;
    const offset = at + field.offset;
    values[field.name] =
      field.count === 1
        ? readElement(field, view, offset)
        : Array.from({ length: field.count }, (_, i) => Number(readElement(field, view, offset + i * field.size)));
  }
  return values;
}

function visibleNames(layout: ContextLayout): string[] {
  return layout.fields.filter((field) => field.read !== 0 && reasonToRefuse(layout, field) === undefined).map(nameOf);
}

function nameOf(field: ContextField): string {
  return field.name;
}

function refuseField(layout: ContextLayout, field: ContextField): void {
  const reason = reasonToRefuse(layout, field);
  if (reason !== undefined)
    throw new InvalidValueError(`field "${field.name}" of ${layout.name} cannot be set: ${reason}`);
}

function reasonToRefuse(layout: ContextLayout, field: ContextField): string | undefined {
  if (field.read === 0) return `programs of type ${programTypeName(layout.programType)} cannot see it`;
  if (field.pointer !== undefined && field.pointer !== "socket") return "it points into what a run is given as data";
  if (layout.packet !== undefined && field.offset === layout.packet.length) return "it is the packet's length";
  const begins = layout.packet?.begins;
  const fromFrame = field.name === "protocol" && (begins === "frame" || begins === "network");
  return fromFrame ? "it is the frame's EtherType" : undefined;
}

function writeField(
  layout: ContextLayout,
  field: ContextField,
  value: ContextValue,
  view: DataView,
  offset: number,
): void {
  if (field.pointer === "socket") {
    if (typeof value !== "object" || !("address" in value)) throw unfit(layout, field, value, "a virtual socket");
    view.setBigUint64(offset, BigInt(value.address), true);
    return;
  }
  if (field.count === 1) {
    if (typeof value === "object") throw unfit(layout, field, value, "a number");
    writeElement(layout, field, value, view, offset);
    return;
  }
  const list = Array.isArray(value) || value instanceof Uint8Array ? value : undefined;
  if (list === undefined || list.length > field.count) {
    throw unfit(layout, field, value, `an array of up to ${field.count} numbers`);
  }
  for (const [i, element] of list.entries()) {
    writeElement(layout, field, element, view, offset + i * field.size);
  }
}

function writeElement(
  layout: ContextLayout,
  field: ContextField,
  value: unknown,
  view: DataView,
  offset: number,
): void {
  const bits = field.size * 8;
  const integer = typeof value === "bigint" || Number.isInteger(value);
  if (!integer) throw unfit(layout, field, value, "a whole number");
  const wide = BigInt(value as number | bigint);
  const inRange = field.signed ? wide === BigInt.asIntN(bits, wide) : wide === BigInt.asUintN(bits, wide);
  if (!inRange) throw unfit(layout, field, value, `a number of ${bits} bits`);
  if (field.size === 8) view.setBigUint64(offset, BigInt.asUintN(64, wide), true);
  else if (field.size === 4) view.setUint32(offset, Number(wide) >>> 0, true);
  else if (field.size === 2) view.setUint16(offset, Number(wide) & 0xffff, true);
  else view.setUint8(offset, Number(wide) & 0xff);
}

function readElement(field: ContextField, view: DataView, offset: number): number | bigint {
  if (field.size === 8) return field.signed ? view.getBigInt64(offset, true) : view.getBigUint64(offset, true);
  if (field.size === 4) return field.signed ? view.getInt32(offset, true) : view.getUint32(offset, true);
  if (field.size === 2) return field.signed ? view.getInt16(offset, true) : view.getUint16(offset, true);
  return field.signed ? view.getInt8(offset) : view.getUint8(offset);
}

function unfit(layout: ContextLayout, field: ContextField, value: unknown, wanted: string): InvalidValueError {
  const found = typeof value === "object" ? JSON.stringify(value) : String(value);
  return new InvalidValueError(`field "${field.name}" of ${layout.name}: ${found} is not ${wanted}`);
}
