// SPDX-License-Identifier: Apache-2.0

import { INSTRUCTION_SIZE } from "@skep/ebpf";

/** Instructions taken apart once, by slot: everything later reads these arrays. The second slot of `ld_imm64` has opcode 0. */
export class Code {
  /** Slots. */
  readonly length: number;
  readonly opcodes: Uint8Array;
  readonly destinations: Uint8Array;
  readonly sources: Uint8Array;
  readonly offsets: Int16Array;
  readonly immediates: Int32Array;

  /** `bytes` are little-endian and a multiple of 8 long. */
  constructor(bytes: Uint8Array) {
    const length = bytes.length / INSTRUCTION_SIZE;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = length;
    this.opcodes = new Uint8Array(length);
    this.destinations = new Uint8Array(length);
    this.sources = new Uint8Array(length);
    this.offsets = new Int16Array(length);
    this.immediates = new Int32Array(length);
    for (let slot = 0, at = 0; slot < length; slot++, at += INSTRUCTION_SIZE) {
      const registers = bytes[at + 1] as number;
      this.opcodes[slot] = bytes[at] as number;
      this.destinations[slot] = registers & 15;
      this.sources[slot] = registers >> 4;
      this.offsets[slot] = view.getInt16(at + 2, true);
      this.immediates[slot] = view.getInt32(at + 4, true);
    }
  }

  /** The 64-bit immediate of the `ld_imm64` at `slot`. */
  wide(slot: number): bigint {
    const low = BigInt((this.immediates[slot] as number) >>> 0);
    return BigInt.asUintN(64, (BigInt(this.immediates[slot + 1] as number) << 32n) | low);
  }
}
