// SPDX-License-Identifier: Apache-2.0

import type { Helper, HelperParameter } from "../helper/helper.ts";
import { MapWord } from "../map/map-header.ts";
import { ADDRESS_BASE } from "../memory/vm-memory.ts";
import { Misc, NO_RESULT, Op, ValueType } from "../wasm/op.ts";
import type { Emit, Emitters } from "./emitters.ts";
import { FUNCTION_ADDRESS, type FunctionWriter, Local } from "./function-writer.ts";
import { emitIntrinsic } from "./intrinsics.ts";
import { Known } from "./known-values.ts";
import { mapHelpers, RINGBUF_OUTPUT, TAIL_CALL } from "./map-helpers.ts";
import { Opcode } from "./opcode.ts";
import type { TranslatedMap } from "./translation-unit.ts";

/** Tail calls in a row (`MAX_TAIL_CALL_CNT`). */
const MAX_TAIL_CALLS = 33;
/** `tail_calls` in `struct vm_run`. */
const TAIL_CALLS_OFFSET = 20;

const call: Emit = (writer, slot) => {
  const { sources, immediates } = writer.code;
  const target = immediates[slot] as number;
  if (writer.runtime !== undefined && sources[slot] === 0) {
    emitIntrinsic(writer, target);
    return;
  }
  switch (sources[slot]) {
    case 1:
      writer.storeFuel();
      passRegisters(writer)
        .calleeFrame()
        .call(writer.functions.get(slot + 1 + target) as number);
      writer.set(0).loadFuel();
      return;
    case 2:
      callHost(writer, writer.module.hostFunction(slot));
      return;
    default:
      callHelper(writer, target);
  }
};

function passRegisters(writer: FunctionWriter): FunctionWriter {
  for (let register = 1; register <= 5; register++) writer.get(register);
  return writer;
}

function callHelper(writer: FunctionWriter, id: number): void {
  if (id === TAIL_CALL) {
    tailCall(writer);
    return;
  }
  if (mapHelpers.has(id)) {
    const map = writer.known.kinds[1] === Known.MAP ? writer.module.map(writer.known.values[1] as number) : undefined;
    if (map !== undefined) callMap(writer, id, map);
    else callAnyMap(writer, id);
    return;
  }
  const runtime = writer.module.runtimeHelper(id);
  if (runtime !== undefined) {
    writer.module.callRuntime(writer, runtime);
    return;
  }
  callHost(writer, writer.module.helper(id));
}

/** A map that is known: its function stands in the same module. */
function callMap(writer: FunctionWriter, id: number, map: TranslatedMap): void {
  for (const { register, what, access } of mapHelpers.get(id) ?? []) {
    writer.checkArgument(register, what === "key" ? map.keySize : map.valueSize, access);
  }
  checkRecord(writer, id);
  const runtime = map.functions.get(id);
  if (runtime === undefined) {
    // -EOPNOTSUPP; lookups find nothing.
    writer.i64(id === 1 || id === 131 || id === 195 ? 0 : -95).set(0);
    return;
  }
  writer.module.callRuntime(writer, runtime);
}

/** A map that a run finds out: through the functions that its struct names. */
function callAnyMap(writer: FunctionWriter, id: number): void {
  const { module } = writer;
  if (writer.confined) {
    writer.get(1).call(module.mapCheck());
    for (const { register, what, access } of mapHelpers.get(id) ?? []) {
      writer.get(register);
      loadMapField(writer, 1, what === "key" ? 4 * MapWord.KEY_SIZE : 4 * MapWord.VALUE_SIZE);
      writer.op(Op.I64_EXTEND_I32_U).i32(access === "write" ? 1 : 0);
      writer.call(module.spanCheck()).op(Op.I32_EQZ).if(NO_RESULT).get(register).faultAt();
    }
    checkRecord(writer, id);
  }
  writer.storeFuel();
  passRegisters(writer).calleeFrame();
  loadMapField(writer, 1, 4 * MapWord.TABLE);
  writer.i32(module.indirectSlot(id)).op(Op.I32_ADD);
  module.callIndirect(writer.out, Op.CALL_INDIRECT);
  writer.set(0).loadFuel();
}

/** A 32-bit field of the map that a register points at, which was checked. */
function loadMapField(writer: FunctionWriter, register: number, offset: number): void {
  writer.get(register).i64(ADDRESS_BASE).op(Op.I64_SUB);
  if (writer.module.options.addressBits === 32) writer.op(Op.I32_WRAP_I64);
  writer.memory(Op.I32_LOAD, offset);
}

function checkRecord(writer: FunctionWriter, id: number): void {
  if (id !== RINGBUF_OUTPUT || !writer.confined) return;
  writer.get(2).get(3).i32(0).call(writer.module.spanCheck()).op(Op.I32_EQZ).if(NO_RESULT).get(2).faultAt();
}

/** A helper in JavaScript: registers become what its parameters say, its result becomes r0. */
function callHost(writer: FunctionWriter, host: { readonly helper: Helper; readonly index: number }): void {
  writer.storeFuel();
  for (const [i, parameter] of host.helper.parameters.entries()) {
    writer.get(i + 1);
    convertParameter(writer, parameter);
  }
  writer.call(host.index);
  switch (host.helper.result) {
    case "i32":
      writer.op(Op.I64_EXTEND_I32_S);
      break;
    case "u32":
      writer.op(Op.I64_EXTEND_I32_U);
      break;
    case "i64":
      writer.op(Op.MISC).op(Misc.I64_TRUNC_SAT_F64_S);
      break;
    case "u64":
    case "address":
      writer.op(Op.MISC).op(Misc.I64_TRUNC_SAT_F64_U);
      break;
    case "void":
      writer.i64(0);
      break;
  }
  writer.set(0).loadFuel();
}

function convertParameter(writer: FunctionWriter, parameter: HelperParameter): void {
  switch (parameter) {
    case "u32":
    case "i32":
      writer.op(Op.I32_WRAP_I64);
      return;
    case "i64":
      writer.op(Op.F64_CONVERT_I64_S);
      return;
    case "bigint":
      return;
    default:
      writer.op(Op.F64_CONVERT_I64_U);
  }
}

/** `bpf_tail_call(ctx, map, index)`: the program of that index takes this one's place; when there is none, this one goes on. */
function tailCall(writer: FunctionWriter): void {
  const { module } = writer;
  if (writer.confined) writer.get(2).call(module.mapCheck());
  writer.get32(3);
  loadMapField(writer, 2, 4 * MapWord.MAX_ENTRIES);
  writer.op(Op.I32_LT_U).if(NO_RESULT);
  // Where the entry lies; its first word is an index in the table, 0 when there is no program.
  loadMapField(writer, 2, 4 * MapWord.ELEMENTS);
  writer.get32(3);
  loadMapField(writer, 2, 4 * MapWord.STRIDE);
  writer.op(Op.I32_MUL).op(Op.I32_ADD).i32(ADDRESS_BASE).op(Op.I32_SUB);
  if (module.options.addressBits === 64) writer.op(Op.I64_EXTEND_I32_U);
  writer.memory(Op.I32_LOAD, 0).setLocal(Local.LABEL);
  writer.getLocal(Local.LABEL).i32(0);
  module.runField(writer).memory(Op.I32_LOAD, TAIL_CALLS_OFFSET);
  writer.i32(MAX_TAIL_CALLS).op(Op.I32_LT_U).op(Op.SELECT).if(NO_RESULT);
  module.runField(writer);
  module
    .runField(writer)
    .memory(Op.I32_LOAD, TAIL_CALLS_OFFSET)
    .i32(1)
    .op(Op.I32_ADD)
    .memory(Op.I32_STORE, TAIL_CALLS_OFFSET);
  writer.storeFuel();
  writer.get(1).i64(0).i64(0).i64(0).i64(0).getLocal(Local.FRAME).getLocal(Local.LABEL);
  module.callIndirect(writer.out, Op.RETURN_CALL_INDIRECT);
  writer.op(Op.END).op(Op.END);
}

/** A call of what a register holds: the address of a function of the program, or else the number of a helper. */
const callRegister: Emit = (writer, slot) => {
  const { destinations, immediates } = writer.code;
  const register = (immediates[slot] as number) !== 0 ? (immediates[slot] as number) : (destinations[slot] as number);
  writer.storeFuel();
  writer.get(register).i64(FUNCTION_ADDRESS).op(Op.I64_LT_U).if(ValueType.I64);
  passRegisters(writer.get(register)).call(writer.module.helperByNumber());
  writer.op(Op.ELSE);
  passRegisters(writer).calleeFrame().get(register).functionIndex();
  writer.module.callIndirect(writer.out, Op.CALL_INDIRECT);
  writer.op(Op.END).set(0).loadFuel();
};

/** Calls (RFC 9669, section 4.3.1). */
export function callEmitters(table: Emitters): void {
  table[Opcode.CALL] = call;
  table[Opcode.CALLX] = callRegister;
}
