// SPDX-License-Identifier: Apache-2.0
import { internetChecksum, sumWords } from "../checksum/internet-checksum.ts";
import { pseudoHeaderSum } from "../checksum/pseudo-header.ts";
import { PacketValueError } from "../errors.ts";

/** Addresses of an IP header, for the checksums of what it carries. */
export interface AddressPair {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

/** A header of a packet to be built, with all that the headers around it must know. Made by `ipv4()`, `tcp()` and so on. */
export interface PacketPart {
  /** The protocol, for messages. */
  readonly kind: string;
  /** Bytes of the header. */
  readonly size: number;
  /** What a header with an EtherType field says when this follows. */
  readonly etherType?: number;
  /** What an IP header says when this follows. */
  readonly protocol?: number;
  /** UDP port that this is sent to. */
  readonly udpPort?: number;
  /** Of an IP header. */
  readonly addresses?: AddressPair;
  /** Of an IPv6 routing header: where the packet goes in the end. */
  readonly finalDestination?: Uint8Array | undefined;
  /** Writes the header. What follows is written already. */
  write(place: PartPlace): void;
}

/** Where in the packet a part is written, and what is around it. */
export class PartPlace {
  /** The whole packet. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the part begins. */
  readonly offset: number;
  /** Bytes from there to the end of the packet. */
  readonly length: number;
  /** The part that follows, if any. */
  readonly next: PacketPart | undefined;
  readonly #outer: readonly PacketPart[];

  constructor(bytes: Uint8Array, offset: number, parts: readonly PacketPart[], index: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = offset;
    this.length = bytes.length - offset;
    this.next = parts[index + 1];
    this.#outer = parts.slice(0, index);
  }

  /** Writes bytes at an offset within the part. */
  setBytes(at: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, this.offset + at);
  }

  /** Writes 16 bits, big-endian, at an offset within the part. */
  setU16(at: number, value: number): void {
    this.view.setUint16(this.offset + at, value);
  }

  /** Writes 32 bits, big-endian, at an offset within the part. */
  setU32(at: number, value: number): void {
    this.view.setUint32(this.offset + at, value);
  }

  /** Internet checksum of the part and all behind it, or of its first `size` bytes. */
  checksum(size: number = this.length): number {
    return internetChecksum(this.bytes, this.offset, this.offset + size);
  }

  /**
   * Internet checksum of the part and all behind it with the pseudo header of the IP header before it.
   *
   * @throws {PacketValueError} when there is no IP header
   */
  pseudoChecksum(kind: string, protocol: number): number {
    const pair = this.#addresses(kind);
    const pseudo = pseudoHeaderSum(pair.source, pair.destination, protocol, this.length);
    return internetChecksum(this.bytes, 0, 0, pseudo + sumWords(this.bytes, this.offset));
  }

  #addresses(kind: string): AddressPair {
    let final: Uint8Array | undefined;
    for (const part of this.#outer.toReversed()) {
      final ??= part.finalDestination;
      if (part.addresses === undefined) continue;
      return final === undefined ? part.addresses : { source: part.addresses.source, destination: final };
    }
    throw new PacketValueError(`${kind}: no IP header before it gives addresses for its checksum; give a checksum`);
  }
}
