// SPDX-License-Identifier: Apache-2.0

import { ADDRESS_BASE } from "../memory/vm-memory.ts";
import { Op } from "../wasm/op.ts";
import { swapRegister } from "./emit-alu.ts";
import type { Emit, Emitters } from "./emitters.ts";
import { type FunctionWriter, Local } from "./function-writer.ts";
import { Class, Mode, Size, sizeOf } from "./opcode.ts";

const loads: Readonly<Record<number, number>> = { 1: Op.I64_LOAD8_U, 2: Op.I64_LOAD16_U, 4: Op.I64_LOAD32_U };

/** The index in memory of the address on the stack. */
function toIndex(writer: FunctionWriter): FunctionWriter {
  writer.i64(ADDRESS_BASE).op(Op.I64_SUB);
  return writer.module.options.addressBits === 32 ? writer.op(Op.I32_WRAP_I64) : writer;
}

/**
 * `r0 = packet[imm]` or `packet[src + imm]`, in the packet's byte order, the context being r6. Beyond the packet the program
 * ends with 0, as it does for the negative offsets by which the kernel means headers.
 */
const loadPacket: Emit = (writer, slot) => {
  const { packet } = writer.module;
  if (packet === undefined) throw new Error(`slot ${slot} loads from a packet where there is none`);
  const opcode = writer.code.opcodes[slot] as number;
  const size = sizeOf(opcode);
  toIndex(writer.get(6)).memory(Op.I64_LOAD32_U, packet.data).setLocal(Local.T0);
  writer.i32(writer.code.immediates[slot] as number);
  if ((opcode & 0xe0) === Mode.IND) writer.get32(writer.code.sources[slot] as number).op(Op.I32_ADD);
  writer.op(Op.I64_EXTEND_I32_U).getLocal(Local.T0).op(Op.I64_ADD).teeLocal(Local.T1);
  writer.i64(size).op(Op.I64_ADD);
  toIndex(writer.get(6)).memory(Op.I64_LOAD32_U, packet.dataEnd);
  writer.op(Op.I64_GT_U).if(0x40).storeFuel().i64(0).op(Op.RETURN).op(Op.END);
  toIndex(writer.getLocal(Local.T1))
    .memory(loads[size] as number, 0)
    .set(0);
  if (size > 1) swapRegister(writer, 0, 8 * size);
};

/** Loads from packets of before BPF_LDX had them (RFC 9669, section 5.5). */
export function packetEmitters(table: Emitters): void {
  for (const size of [Size.W, Size.H, Size.B]) {
    table[Class.LD | Mode.ABS | size] = loadPacket;
    table[Class.LD | Mode.IND | size] = loadPacket;
  }
}
