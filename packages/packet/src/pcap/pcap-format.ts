// SPDX-License-Identifier: Apache-2.0
import { MalformedCaptureError } from "../errors.ts";
import type { ByteQueue } from "./byte-queue.ts";
import { type CaptureFormat, viewOf } from "./capture-format.ts";
import { type CapturedPacket, MAXIMUM_SNAPLEN } from "./captured-packet.ts";

/** First 4 bytes of a file, in the byte order of all that follows: times in microseconds, or in nanoseconds. */
export const PCAP_MAGIC = { microseconds: 0xa1b2c3d4, nanoseconds: 0xa1b23c4d } as const;

/** Bytes of the header of a file. */
export const PCAP_FILE_HEADER = 24;

/** Bytes of the header before each packet. */
export const PCAP_PACKET_HEADER = 16;

/** The low bits of the last field of the file header; above them is the length of an FCS. */
const LINK_TYPE_MASK = 0x03ff_ffff;

/** Whether 4 bytes begin a pcap file, in either byte order. */
export function isPcapMagic(magic: number): boolean {
  return magic === PCAP_MAGIC.microseconds || magic === PCAP_MAGIC.nanoseconds;
}

/**
 * Reads classic pcap, version 2.4, in both byte orders and both resolutions (draft-ietf-opsawg-pcap).
 * A file header of 24 bytes: magic, version (u16, u16), two fields of 0, snaplen, link type. Before each packet 16 bytes:
 * seconds, fraction, captured length, original length.
 */
export class PcapFormat implements CaptureFormat {
  #header: { readonly littleEndian: boolean; readonly unit: number; readonly linkType: number } | undefined;

  next(queue: ByteQueue): CapturedPacket | "skipped" | "waiting" {
    const header = this.#header;
    if (header === undefined) return this.#readHeader(queue);
    const bytes = queue.peek(PCAP_PACKET_HEADER);
    if (bytes === undefined) return "waiting";
    const view = viewOf(bytes);
    const length = view.getUint32(8, header.littleEndian);
    if (length > MAXIMUM_SNAPLEN) {
      throw new MalformedCaptureError(
        queue.offset + 8,
        `a packet of ${length} bytes, ${MAXIMUM_SNAPLEN} are the most that a capture may hold`,
      );
    }
    const record = queue.take(PCAP_PACKET_HEADER + length);
    if (record === undefined) return "waiting";
    const fraction = view.getUint32(4, header.littleEndian) * header.unit;
    return {
      bytes: record.subarray(PCAP_PACKET_HEADER),
      originalLength: view.getUint32(12, header.littleEndian),
      linkType: header.linkType,
      // Some writers leave a whole second or more in the fraction.
      seconds: view.getUint32(0, header.littleEndian) + Math.floor(fraction / 1e9),
      nanoseconds: fraction % 1e9,
    };
  }

  #readHeader(queue: ByteQueue): "skipped" | "waiting" {
    const bytes = queue.peek(PCAP_FILE_HEADER);
    if (bytes === undefined) return "waiting";
    const view = viewOf(bytes);
    const littleEndian = isPcapMagic(view.getUint32(0, true));
    const magic = view.getUint32(0, littleEndian);
    const major = view.getUint16(4, littleEndian);
    const minor = view.getUint16(6, littleEndian);
    if (major !== 2 || minor !== 4) {
      throw new MalformedCaptureError(queue.offset + 4, `pcap version ${major}.${minor}, only 2.4 is read`);
    }
    const linkType = (view.getUint32(20, littleEndian) & LINK_TYPE_MASK) >>> 0;
    this.#header = { littleEndian, unit: magic === PCAP_MAGIC.nanoseconds ? 1 : 1000, linkType };
    queue.take(PCAP_FILE_HEADER);
    return "skipped";
  }
}
