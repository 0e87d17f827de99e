// SPDX-License-Identifier: Apache-2.0

import { readBits, readWideBits } from "../codec/bits.ts";
import { type BytesBuilder, type WholeSource, wholeSource } from "./bytes-builder.ts";
import type { ColumnLayout } from "./column-layout.ts";
import { GrowingColumn } from "./growing-column.ts";
import { hostIsLittleEndian } from "./host-order.ts";
import type { ColumnDecoder } from "./records.ts";

/** `::ffff:0:0/96` as three words in network order. */
const MAPPED_WORD = 0x0000_ffff;

/** Text up to the first NUL; the record may end within it. */
export function textColumn({ offset, size }: ColumnLayout): ColumnDecoder {
  const column = new GrowingColumn(size, 16);
  return (records) => {
    const { starts, lengths, count } = records;
    const builder = column.begin(count);
    for (let i = 0; i < count; i++) {
      const start = (starts[i] as number) + offset;
      const limit = Math.min(start + size, (starts[i] as number) + (lengths[i] as number));
      if (limit > start) builder.appendText(records, start, limit);
      builder.endRow();
    }
    return column.finish(builder);
  };
}

/**
 * Texts that each end with NUL. Where the record ends within the field, all of its bytes count; where it holds
 * the whole field, the NULs after the last text are unused room. A last text without NUL gets one.
 */
export function textsColumn({ offset, size }: ColumnLayout): ColumnDecoder {
  const column = new GrowingColumn(size, 64);
  return (records) => {
    const { bytes, starts, lengths, count } = records;
    const builder = column.begin(count);
    for (let i = 0; i < count; i++) {
      const start = (starts[i] as number) + offset;
      const recordEnd = (starts[i] as number) + (lengths[i] as number);
      const whole = start + size <= recordEnd;
      let end = whole ? start + size : recordEnd;
      if (whole) while (end > start && bytes[end - 1] === 0) end--;
      if (end > start) {
        builder.append(records, start, end);
        if (bytes[end - 1] !== 0) builder.appendByte(0);
      }
      builder.endRow();
    }
    return column.finish(builder);
  };
}

/** Bytes as they are; the record may end within them. */
export function bytesColumn({ offset, size }: ColumnLayout): ColumnDecoder {
  const column = new GrowingColumn(size, size);
  return (records) => {
    const { starts, lengths, count } = records;
    const builder = column.begin(count);
    for (let i = 0; i < count; i++) {
      const start = (starts[i] as number) + offset;
      const end = Math.min(start + size, (starts[i] as number) + (lengths[i] as number));
      if (end > start) builder.append(records, start, end);
      builder.endRow();
    }
    return column.finish(builder);
  };
}

/** Addresses up to the first 0 or to the last whole one in the record, turned into this machine's order. */
export function stackColumn({ offset, size }: ColumnLayout, little: boolean): ColumnDecoder | undefined {
  if (size % 8 !== 0) return undefined;
  const column = new GrowingColumn(size, size);
  const swapped = little !== hostIsLittleEndian();
  return (records) => {
    const { bytes, view, starts, lengths, count } = records;
    const builder = column.begin(count);
    for (let i = 0; i < count; i++) {
      const start = (starts[i] as number) + offset;
      const limit = Math.min(start + size, (starts[i] as number) + (lengths[i] as number)) - 8;
      let end = start;
      while (end <= limit && (view.getUint32(end, little) !== 0 || view.getUint32(end + 4, little) !== 0)) end += 8;
      if (swapped) appendSwapped(builder, bytes, start, end);
      else builder.append(records, start, end);
      builder.endRow();
    }
    return column.finish(builder);
  };
}

function appendSwapped(builder: BytesBuilder, bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at += 8) {
    for (let byte = at + 7; byte >= at; byte--) builder.appendByte(bytes[byte] as number);
  }
}

/** IPv4 addresses: 4 bytes in network order, whatever the order of the record. */
export function ipv4Column(layout: ColumnLayout): ColumnDecoder | undefined {
  return layout.size === 4 ? bytesColumn(layout) : undefined;
}

/** Addresses in 16 bytes, where `::ffff:a.b.c.d` gives the 4 bytes of the IPv4 address. */
export function ipColumn({ offset, size }: ColumnLayout): ColumnDecoder | undefined {
  if (size !== 16) return undefined;
  const column = new GrowingColumn(size, size);
  return (records) => {
    const { view, starts, count } = records;
    const builder = column.begin(count);
    for (let i = 0; i < count; i++) {
      const at = (starts[i] as number) + offset;
      const mapped = view.getUint32(at) === 0 && view.getUint32(at + 4) === 0 && view.getUint32(at + 8) === MAPPED_WORD;
      builder.append(records, mapped ? at + 12 : at, at + 16);
      builder.endRow();
    }
    return column.finish(builder);
  };
}

/** Labels; a value without one is shown as a decimal number. */
export function enumColumn(layout: ColumnLayout, little: boolean): ColumnDecoder | undefined {
  const read = enumReader(layout, little);
  if (read === undefined) return undefined;
  const encoder = new TextEncoder();
  const encode = (label: string): WholeSource => wholeSource(encoder.encode(label));
  const labels = new Map<number | bigint, WholeSource>();
  for (const [value, label] of layout.labels ?? []) labels.set(value, encode(label));
  const column = new GrowingColumn(64, 12);
  return ({ view, starts, count }) => {
    const builder = column.begin(count);
    for (let i = 0; i < count; i++) {
      const value = read(view, (starts[i] as number) + layout.offset);
      const label = labels.get(value) ?? encode(String(value));
      builder.append(label, 0, label.length);
      builder.endRow();
    }
    return column.finish(builder);
  };
}

type EnumReader = (view: DataView, at: number) => number | bigint;

/** Reads the integer of an enum: a number where that is exact, as the labels' keys are. */
function enumReader({ bits, size, signed = false }: ColumnLayout, little: boolean): EnumReader | undefined {
  if (bits !== undefined && bits.size <= 32) return (view, at) => readBits(view, at, bits, signed, little);
  if (bits !== undefined) return (view, at) => exact(readWideBits(view, at, bits, signed, little));
  switch (signed ? -size : size) {
    case 1:
      return (view, at) => view.getUint8(at);
    case -1:
      return (view, at) => view.getInt8(at);
    case 2:
      return (view, at) => view.getUint16(at, little);
    case -2:
      return (view, at) => view.getInt16(at, little);
    case 4:
      return (view, at) => view.getUint32(at, little);
    case -4:
      return (view, at) => view.getInt32(at, little);
    case 8:
      return (view, at) => exact(view.getBigUint64(at, little));
    case -8:
      return (view, at) => exact(view.getBigInt64(at, little));
    default:
      return undefined;
  }
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
