// SPDX-License-Identifier: Apache-2.0
import { field } from "../build/field.ts";
import { viewOf } from "./capture-format.ts";
import { MAXIMUM_SNAPLEN, type PacketToCapture } from "./captured-packet.ts";
import { LinkType } from "./link-type.ts";
import { joinBytes, packetRecord } from "./packet-record.ts";
import { PcapngBlock } from "./pcapng-block.ts";

/** `if_tsresol`, one byte: 9 for nanoseconds; then the end of options. Little-endian. */
const NANOSECONDS = Uint8Array.of(9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0);

/**
 * Writes pcapng piece by piece: first `header()`, then `packet()` of each. One little-endian section with an interface
 * for each link type, times in nanoseconds.
 */
export class PcapngWriter {
  /** Link types of the interfaces described so far. */
  readonly #interfaces: number[] = [];

  /** The section header block, 28 bytes. */
  header(): Uint8Array {
    return block(PcapngBlock.SECTION_HEADER, 16, (view) => {
      view.setUint32(8, PcapngBlock.BYTE_ORDER_MAGIC, true);
      view.setUint16(12, 1, true);
      // The section's length: -1, not known.
      view.setBigInt64(16, -1n, true);
    });
  }

  /**
   * An enhanced packet block, and before the first packet of a link type the description of its interface.
   *
   * @throws {PacketValueError} when a time or length does not fit
   */
  packet(packet: PacketToCapture): Uint8Array {
    const linkType = field("pcapng", "linkType", packet.linkType ?? LinkType.ETHERNET, 16);
    const record = packetRecord("pcapng", packet, MAXIMUM_SNAPLEN);
    const stamp = BigInt(record.seconds) * 1_000_000_000n + BigInt(record.nanoseconds);
    const high = field("pcapng", "upper half of the time", Number(stamp >> 32n), 32);
    const known = this.#interfaces.indexOf(linkType);
    const id = known < 0 ? this.#interfaces.push(linkType) - 1 : known;
    const enhanced = block(PcapngBlock.ENHANCED_PACKET, 20 + record.bytes.length, (view, bytes) => {
      view.setUint32(8, id, true);
      view.setUint32(12, high, true);
      view.setUint32(16, Number(stamp & 0xffff_ffffn), true);
      view.setUint32(20, record.bytes.length, true);
      view.setUint32(24, record.originalLength, true);
      bytes.set(record.bytes, 28);
    });
    return known < 0 ? joinBytes([interfaceDescription(linkType), enhanced]) : enhanced;
  }
}

/**
 * A pcapng file of packets.
 *
 * @throws {PacketValueError} as {@link PcapngWriter}
 */
export function writePcapng(packets: Iterable<PacketToCapture>): Uint8Array {
  const writer = new PcapngWriter();
  return joinBytes([writer.header(), ...Array.from(packets, (packet) => writer.packet(packet))]);
}

function interfaceDescription(linkType: number): Uint8Array {
  return block(PcapngBlock.INTERFACE_DESCRIPTION, 8 + NANOSECONDS.length, (view, bytes) => {
    view.setUint16(8, linkType, true);
    view.setUint32(12, MAXIMUM_SNAPLEN, true);
    bytes.set(NANOSECONDS, 16);
  });
}

/** A block whose contents, `size` bytes from byte 8 on and padding to a multiple of 4, `fill` writes. */
function block(type: number, size: number, fill: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const length = 12 + Math.ceil(size / 4) * 4;
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  view.setUint32(length - 4, length, true);
  fill(view, bytes);
  return bytes;
}
