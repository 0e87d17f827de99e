// SPDX-License-Identifier: Apache-2.0

/**
 * Bits of a record, numbered as BTF numbers bitfields (Documentation/bpf/btf.rst, BTF_KIND_STRUCT): from the
 * least significant bit of the first byte in little-endian objects, from the most significant in big-endian ones.
 */
export interface BitRange {
  /** First bit, counted from the byte where the range is read: 0 to 7. */
  readonly offset: number;
  /** How many bits: 1 to 64. */
  readonly size: number;
}

/** Bytes that a range touches. */
export function bytesOfBits(bits: BitRange): number {
  return Math.ceil((bits.offset + bits.size) / 8);
}

/** Reads up to 32 bits as an unsigned number, or as a signed one. */
export function readBits(view: DataView, at: number, bits: BitRange, signed: boolean, little: boolean): number {
  const bytes = bytesOfBits(bits);
  // At most 40 bits: exact in a number, but past what its bit operators take.
  let value = 0;
  for (let index = 0; index < bytes; index++) {
    value = value * 256 + view.getUint8(little ? at + bytes - 1 - index : at + index);
  }
  const shift = little ? bits.offset : bytes * 8 - bits.offset - bits.size;
  const span = 2 ** bits.size;
  const unsigned = Math.floor(value / 2 ** shift) % span;
  return signed && unsigned >= span / 2 ? unsigned - span : unsigned;
}

/** Reads up to 64 bits. */
export function readWideBits(view: DataView, at: number, bits: BitRange, signed: boolean, little: boolean): bigint {
  const bytes = bytesOfBits(bits);
  let value = 0n;
  for (let index = 0; index < bytes; index++) {
    value = (value << 8n) | BigInt(view.getUint8(little ? at + bytes - 1 - index : at + index));
  }
  const shifted = value >> BigInt(little ? bits.offset : bytes * 8 - bits.offset - bits.size);
  return signed ? BigInt.asIntN(bits.size, shifted) : BigInt.asUintN(bits.size, shifted);
}

/** Writes a value into bits that are zero, and leaves those around them alone. */
export function writeBits(view: DataView, at: number, bits: BitRange, value: bigint, little: boolean): void {
  const bytes = bytesOfBits(bits);
  const shift = little ? bits.offset : bytes * 8 - bits.offset - bits.size;
  let rest = BigInt.asUintN(bits.size, value) << BigInt(shift);
  for (let index = 0; index < bytes; index++) {
    const position = little ? at + index : at + bytes - 1 - index;
    view.setUint8(position, view.getUint8(position) | Number(rest & 0xffn));
    rest >>= 8n;
  }
}
