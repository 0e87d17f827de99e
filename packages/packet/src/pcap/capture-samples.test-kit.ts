// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import type { CapturedPacket } from "./captured-packet.ts";

/** Packets of one link type with times in the range of pcap. */
export const capturedPackets: fc.Arbitrary<CapturedPacket[]> = fc.array(
  fc
    .record({
      bytes: fc.uint8Array({ maxLength: 80 }),
      seconds: fc.nat(2 ** 32 - 1),
      nanoseconds: fc.nat(999_999_999),
      cut: fc.nat(1500),
    })
    .map(({ bytes, seconds, nanoseconds, cut }) => {
      return { bytes, seconds, nanoseconds, originalLength: bytes.length + cut, linkType: 1 };
    }),
  { maxLength: 8 },
);

/** Bytes in chunks of the sizes given, the sizes over and over; 0 makes an empty chunk. */
export function chunksOf(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    // Each with memory of its own, as from a socket.
    chunks.push(bytes.slice(at, at + size));
    at += size;
  }
  return chunks;
}

/** A pcapng block of the words given, in either byte order, for files that the writer does not write. */
export function blockOf(type: number, body: Uint8Array, littleEndian = true): Uint8Array {
  const length = 12 + Math.ceil(body.length / 4) * 4;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, littleEndian);
  view.setUint32(4, length, littleEndian);
  view.setUint32(length - 4, length, littleEndian);
  bytes.set(body, 8);
  return bytes;
}

/** Numbers of 2 or 4 bytes one behind the other. */
export function numbers(
  littleEndian: boolean,
  ...values: readonly (readonly [size: 2 | 4, value: number])[]
): Uint8Array {
  const bytes = new Uint8Array(values.reduce((total, [size]) => total + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of values) {
    if (size === 2) view.setUint16(at, value, littleEndian);
    else view.setUint32(at, value, littleEndian);
    at += size;
  }
  return bytes;
}

/** All that an AsyncIterable gives. */
export async function collect<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const value of values) all.push(value);
  return all;
}
