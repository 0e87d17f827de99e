// SPDX-License-Identifier: Apache-2.0
import { MalformedCaptureError } from "../errors.ts";
import { viewOf } from "./capture-format.ts";
import { MAXIMUM_SNAPLEN } from "./captured-packet.ts";

/** Types of pcapng blocks (draft-ietf-opsawg-pcapng 11.1). The section header's reads alike in both byte orders. */
export const PcapngBlock = {
  SECTION_HEADER: 0x0a0d0d0a,
  INTERFACE_DESCRIPTION: 1,
  OBSOLETE_PACKET: 2,
  SIMPLE_PACKET: 3,
  ENHANCED_PACKET: 6,
  /** What a section header says in the byte order of its section. */
  BYTE_ORDER_MAGIC: 0x1a2b3c4d,
} as const;

/**
 * A block of a pcapng file, whole: type (u32), total length (u32), what it holds, total length again. Offsets count from
 * the block's beginning; `require` comes before reading what the type does not promise.
 */
export class Block {
  readonly type: number;
  readonly littleEndian: boolean;
  /** Where what it holds ends: 4 bytes before its own end. */
  readonly end: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #offset: number;

  constructor(bytes: Uint8Array, littleEndian: boolean, offset: number) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#offset = offset;
    this.littleEndian = littleEndian;
    this.end = bytes.length - 4;
    this.type = this.u32(0);
  }

  /** An error about a byte of this block, to be thrown by the caller. */
  malformed(at: number, message: string): MalformedCaptureError {
    return new MalformedCaptureError(this.#offset + at, message);
  }

  /** Throws unless `size` bytes at an offset are the block's. */
  require(at: number, size: number): void {
    if (at + size > this.end) {
      throw this.malformed(
        at,
        `${size} bytes wanted, block of type ${this.type} has ${Math.max(this.end - at, 0)} left`,
      );
    }
  }

  /** A packet's bytes, whose length stands at `lengthAt`; not copied. */
  packet(at: number, length: number, lengthAt: number): Uint8Array {
    if (length > MAXIMUM_SNAPLEN || at + length > this.end) {
      const most = Math.min(MAXIMUM_SNAPLEN, this.end - at);
      throw this.malformed(lengthAt, `a packet of ${length} bytes, at most ${most} can be there`);
    }
    return this.#bytes.subarray(at, at + length);
  }

  /** The byte at an offset. */
  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  /** 16 bits at an offset. */
  u16(at: number): number {
    return this.#view.getUint16(at, this.littleEndian);
  }

  /** 32 bits at an offset. */
  u32(at: number): number {
    return this.#view.getUint32(at, this.littleEndian);
  }

  /** 64 bits with a sign at an offset, as the nearest number. */
  i64(at: number): number {
    return Number(this.#view.getBigInt64(at, this.littleEndian));
  }
}
