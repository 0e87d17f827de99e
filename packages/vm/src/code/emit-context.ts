// SPDX-License-Identifier: Apache-2.0

import { ADDRESS_BASE } from "../memory/vm-memory.ts";
import { Op } from "../wasm/op.ts";
import { type FunctionWriter, Local } from "./function-writer.ts";
import { Known } from "./known-values.ts";

/** `context` in `struct vm_run`. */
const CONTEXT_OFFSET = 12;
const NO_QUEUE_MAPPING = 0xffff;

/**
 * Makes the number on the stack what the kernel would keep of it, when the 32-bit store at a slot is to a field of the context
 * that has fewer bits there (bpf_convert_ctx_access). Whether a pointer that was kept in memory is the context, only the run
 * tells.
 */
export function keepNarrow(writer: FunctionWriter, slot: number, fromRegister: boolean): void {
  if (writer.runtime !== undefined) return;
  const register = writer.code.destinations[slot] as number;
  const kind = writer.known.kinds[register] as number;
  if (kind === Known.FRAME) return;
  const from = kind === Known.CONTEXT ? (writer.known.values[register] as number) : 0;
  const at = from + (writer.code.offsets[slot] as number);
  const keeps = writer.module.narrowField(at);
  if (keeps === undefined) return;
  const immediate = writer.code.immediates[slot] as number;
  if (keeps === "queue" && (fromRegister || immediate >= NO_QUEUE_MAPPING)) {
    // Too large a number leaves what is there.
    writer.teeLocal(Local.T1);
    contextAddress(writer).i64(ADDRESS_BASE).op(Op.I64_SUB);
    if (writer.module.options.addressBits === 32) writer.op(Op.I32_WRAP_I64);
    writer.memory(Op.I64_LOAD32_U, at);
    writer.getLocal(Local.T1).i64(NO_QUEUE_MAPPING).op(Op.I64_LT_U);
    isOther(writer, register, kind).op(Op.I32_OR).op(Op.SELECT);
    return;
  }
  writer.i64(-1).i64(0xffff);
  isOther(writer, register, kind).op(Op.SELECT).op(Op.I64_AND);
}

function contextAddress(writer: FunctionWriter): FunctionWriter {
  return writer.module.runField(writer).memory(Op.I64_LOAD32_U, CONTEXT_OFFSET);
}

/** Whether a register points at something else than the context. */
function isOther(writer: FunctionWriter, register: number, kind: number): FunctionWriter {
  if (kind === Known.CONTEXT) return writer.i32(0);
  contextAddress(writer).get(register);
  return writer.op(Op.I64_NE);
}
