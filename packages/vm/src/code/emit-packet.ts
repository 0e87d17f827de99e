// SPDX-License-Identifier: Apache-2.0

import { NO_RESULT, Op } from "../wasm/op.ts";
import type { Emit, Emitters } from "./emitters.ts";
import { Local } from "./function-writer.ts";
import { Class, Mode, Size, sizeOf } from "./opcode.ts";

/**
 * `r0 = packet[imm]` or `packet[src + imm]`, in the packet's byte order. Beyond the packet the program ends with 0. The packet is
 * that of the run, whatever r6 holds.
 */
const loadPacket: Emit = (writer, slot) => {
  const { packet } = writer.module;
  if (packet === undefined) throw new Error(`slot ${slot} loads from a packet where there is none`);
  const opcode = writer.code.opcodes[slot] as number;
  writer.storeFuel().i32(writer.code.immediates[slot] as number);
  if ((opcode & 0xe0) === Mode.IND) writer.get32(writer.code.sources[slot] as number).op(Op.I32_ADD);
  writer.op(Op.I64_EXTEND_I32_S).i64(sizeOf(opcode)).i64(0).i64(0).i64(0);
  writer.calleeFrame().call(writer.module.runtimeFunction(packet.load)).loadFuel().teeLocal(Local.T0);
  // All ones: it is not in the packet.
  writer.i64(-1).op(Op.I64_EQ).if(NO_RESULT).storeFuel().i64(0).op(Op.RETURN).op(Op.END);
  writer.getLocal(Local.T0).set(0);
};

/** Loads from packets of before BPF_LDX had them (RFC 9669, section 5.5). */
export function packetEmitters(table: Emitters): void {
  for (const size of [Size.W, Size.H, Size.B]) {
    table[Class.LD | Mode.ABS | size] = loadPacket;
    table[Class.LD | Mode.IND | size] = loadPacket;
  }
}
