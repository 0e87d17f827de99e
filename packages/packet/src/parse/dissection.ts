// SPDX-License-Identifier: Apache-2.0
import type { Layer, LayerKind } from "./layer.ts";

/** Why a packet could not be read whole. */
export interface ParseFault {
  /** `truncated`: bytes are missing; `malformed`: what is there contradicts itself. */
  readonly kind: "malformed" | "truncated";
  /** The layer being read. */
  readonly layer: LayerKind;
  /** Offset in the packet, in bytes. */
  readonly offset: number;
  /** What was found and wanted. */
  readonly message: string;
}

/** A packet half read: where the next layer begins, what it is, and what was found so far. */
export class Dissection {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly layers: Layer[] = [];
  readonly faults: ParseFault[] = [];
  /** Where the next layer begins. */
  offset = 0;
  /** Where what the last length field covers ends; never beyond the bytes. */
  end: number;
  /** What the header before calls the next layer, in the numbers of `EtherType`. */
  etherType = 0;
  /** Version of the IP header around, 0 when there is none. */
  ipVersion: 0 | 4 | 6 = 0;
  /** Whether what follows is a piece of a datagram, so that lengths within speak of more than is here. */
  fragmented = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length;
  }

  /** Bytes between `offset` and `end`. */
  get remaining(): number {
    return this.end - this.offset;
  }

  /** Whether `size` bytes are left for a layer; notes a fault when they are not. */
  has(layer: LayerKind, size: number): boolean {
    if (this.remaining >= size) return true;
    this.truncated(layer, `${size} bytes wanted, ${this.remaining} there`);
    return false;
  }

  /** Notes that bytes are missing. */
  truncated(layer: LayerKind, message: string): void {
    this.faults.push({ kind: "truncated", layer, offset: this.offset, message });
  }

  /** Notes a contradiction; reading stops there and the rest is payload. */
  malformed(layer: LayerKind, offset: number, message: string): undefined {
    this.faults.push({ kind: "malformed", layer, offset, message });
  }

  /** Adds a layer and goes on behind its header. */
  add(layer: Layer): void {
    this.layers.push(layer);
    this.offset = layer.offset + layer.size;
  }

  /**
   * Takes a length field that counts from the layer's beginning at its word: what lies behind is no part of the layer.
   * Notes a fault when less is there.
   */
  limit(layer: LayerKind, length: number): void {
    if (length <= this.remaining) this.end = this.offset + length;
    else if (!this.fragmented) this.truncated(layer, `length is ${length} bytes, ${this.remaining} there`);
  }

  /** The byte at an offset from the next layer's beginning. */
  u8(at: number): number {
    return this.view.getUint8(this.offset + at);
  }

  /** 16 bits, big-endian, at an offset from the next layer's beginning. */
  u16(at: number): number {
    return this.view.getUint16(this.offset + at);
  }

  /** 32 bits, big-endian, at an offset from the next layer's beginning. */
  u32(at: number): number {
    return this.view.getUint32(this.offset + at);
  }

  /** Bytes from the next layer's beginning, not copied. */
  slice(from: number, to: number): Uint8Array {
    return this.bytes.subarray(this.offset + from, this.offset + to);
  }
}
