// SPDX-License-Identifier: Apache-2.0
import { field } from "../build/field.ts";
import { PacketValueError } from "../errors.ts";
import { viewOf } from "./capture-format.ts";
import { MAXIMUM_SNAPLEN, type PacketToCapture } from "./captured-packet.ts";
import { LinkType } from "./link-type.ts";
import { joinBytes, packetRecord } from "./packet-record.ts";
import { PCAP_FILE_HEADER, PCAP_MAGIC, PCAP_PACKET_HEADER } from "./pcap-format.ts";

/** How a pcap file is written. */
export interface PcapOptions {
  /** What all its packets begin with. Default Ethernet. */
  readonly linkType?: number | undefined;
  /** Bytes of a packet at most, the rest is cut off: 1 to 262144. Default 262144. */
  readonly snaplen?: number | undefined;
  /** Default little. */
  readonly byteOrder?: "big" | "little" | undefined;
  /** Times finer than this are rounded down. Default nanoseconds. */
  readonly resolution?: "microseconds" | "nanoseconds" | undefined;
}

/** Writes classic pcap piece by piece: first `header()`, then `packet()` of each. */
export class PcapWriter {
  readonly #linkType: number;
  readonly #snaplen: number;
  readonly #littleEndian: boolean;
  readonly #resolution: "microseconds" | "nanoseconds";

  /** @throws {PacketValueError} when an option does not fit */
  constructor(options: PcapOptions = {}) {
    const { snaplen = MAXIMUM_SNAPLEN } = options;
    if (!Number.isInteger(snaplen) || snaplen < 1 || snaplen > MAXIMUM_SNAPLEN) {
      throw new PacketValueError(`pcap: snaplen is ${snaplen}, wanted 1 to ${MAXIMUM_SNAPLEN}`);
    }
    this.#linkType = field("pcap", "linkType", options.linkType ?? LinkType.ETHERNET, 16);
    this.#snaplen = snaplen;
    this.#littleEndian = options.byteOrder !== "big";
    this.#resolution = options.resolution ?? "nanoseconds";
  }

  /** The file header, 24 bytes. */
  header(): Uint8Array {
    const bytes = new Uint8Array(PCAP_FILE_HEADER);
    const view = viewOf(bytes);
    view.setUint32(0, PCAP_MAGIC[this.#resolution], this.#littleEndian);
    view.setUint16(4, 2, this.#littleEndian);
    view.setUint16(6, 4, this.#littleEndian);
    view.setUint32(16, this.#snaplen, this.#littleEndian);
    view.setUint32(20, this.#linkType, this.#littleEndian);
    return bytes;
  }

  /**
   * A packet with the 16 bytes before it.
   *
   * @throws {PacketValueError} for another link type than the file's, or a time that 32 bits of seconds do not hold
   */
  packet(packet: PacketToCapture): Uint8Array {
    if (packet.linkType !== undefined && packet.linkType !== this.#linkType) {
      throw new PacketValueError(`pcap: a packet of link type ${packet.linkType} in a file of ${this.#linkType}`);
    }
    const record = packetRecord("pcap", packet, this.#snaplen);
    const bytes = new Uint8Array(PCAP_PACKET_HEADER + record.bytes.length);
    const view = viewOf(bytes);
    const fraction = this.#resolution === "nanoseconds" ? record.nanoseconds : Math.floor(record.nanoseconds / 1000);
    view.setUint32(0, field("pcap", "seconds", record.seconds, 32), this.#littleEndian);
    view.setUint32(4, fraction, this.#littleEndian);
    view.setUint32(8, record.bytes.length, this.#littleEndian);
    view.setUint32(12, record.originalLength, this.#littleEndian);
    bytes.set(record.bytes, PCAP_PACKET_HEADER);
    return bytes;
  }
}

/**
 * A pcap file of packets.
 *
 * @throws {PacketValueError} as {@link PcapWriter}
 */
export function writePcap(packets: Iterable<PacketToCapture>, options: PcapOptions = {}): Uint8Array {
  const writer = new PcapWriter(options);
  return joinBytes([writer.header(), ...Array.from(packets, (packet) => writer.packet(packet))]);
}
