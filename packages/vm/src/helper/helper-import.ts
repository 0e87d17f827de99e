// SPDX-License-Identifier: Apache-2.0

import type { VmMap } from "../map/vm-map.ts";
import { accessFault, VmFault } from "../vm-fault.ts";
import type { Helper, HelperFrame, HelperParameter, HelperResult } from "./helper.ts";
import { helperFault } from "./helper-fault.ts";
import { isNumeric, numericCall } from "./numeric-call.ts";

/** A WebAssembly value type. */
export type WasmValueType = "i32" | "i64" | "f64";

/** A helper as a module imports it. */
export interface HelperImport {
  readonly parameters: readonly WasmValueType[];
  /** Undefined: no result. */
  readonly result: WasmValueType | undefined;
  readonly function: (...args: never[]) => unknown;
}

/** A register as the module passes it. */
type Raw = number | bigint;
/** Makes of a register, and of the one that holds its size, what the helper is called with. */
type Convert = (raw: Raw, size: Raw) => unknown;

/**
 * A helper as the import of a WebAssembly module. The module converts registers (i64) before the call and the result after:
 *
 * | parameter | passed as | instruction |
 * |---|---|---|
 * | `u32`, `i32` | i32 | `i32.wrap_i64` |
 * | `i64` | f64 | `f64.convert_i64_s` |
 * | `bigint` | i64 | none |
 * | all others | f64 | `f64.convert_i64_u`: an address of more than 32 bits stays one, and leads nowhere |
 *
 * | result | comes as | instruction |
 * |---|---|---|
 * | `i32` | i32 | `i64.extend_i32_s` |
 * | `u32` | i32 | `i64.extend_i32_u` |
 * | `i64` | f64 | `i64.trunc_sat_f64_s` |
 * | `u64`, `address` | f64 | `i64.trunc_sat_f64_u` |
 * | `bigint` | i64 | none |
 * | `void` | nothing | `i64.const 0` |
 *
 * The function checks what the parameters ask for: memory that the program may touch, a map (`mapAt` finds it by its address),
 * the context of the run. It throws VmFault without a place, or with the helper's own error as its cause; traps of a
 * callback go through as they are.
 */
export function helperImport(
  helper: Helper,
  frame: HelperFrame,
  mapAt: (address: number) => VmMap | undefined,
): HelperImport {
  return {
    parameters: helper.parameters.map(passedAs),
    result: resultOf(helper.result),
    function: checkedCall(helper, frame, mapAt),
  };
}

function passedAs(parameter: HelperParameter): WasmValueType {
  if (parameter === "u32" || parameter === "i32") return "i32";
  return parameter === "bigint" ? "i64" : "f64";
}

function resultOf(result: HelperResult): WasmValueType | undefined {
  if (result === "void") return undefined;
  if (result === "i32" || result === "u32") return "i32";
  return result === "bigint" ? "i64" : "f64";
}

/** By count of parameters, so that a call makes no array. */
function checkedCall(
  helper: Helper,
  frame: HelperFrame,
  mapAt: (address: number) => VmMap | undefined,
): HelperImport["function"] {
  const { call } = helper;
  const failed = (error: unknown) => helperFault(helper, error);
  if (isNumeric(helper)) return numericCall(helper, frame);
  const converts = helper.parameters.map((_, i) => converter(helper, i, frame, mapAt));
  const sizes = helper.parameters.map((parameter, i) => sizeIndex(parameter) ?? i);
  const [toA = same, toB = same, toC = same, toD = same, toE = same] = converts;
  const [sizeA = 0, sizeB = 0, sizeC = 0, sizeD = 0, sizeE = 0] = sizes;
  switch (converts.length) {
    case 1:
      return (a: Raw) => {
        try {
          return call(frame, toA(a, a));
        } catch (error) {
          throw failed(error);
        }
      };
    case 2:
      return (a: Raw, b: Raw) => {
        try {
          return call(frame, toA(a, sizeA === 1 ? b : a), toB(b, sizeB === 0 ? a : b));
        } catch (error) {
          throw failed(error);
        }
      };
    default:
      return (a: Raw, b: Raw, c: Raw, d: Raw, e: Raw) => {
        try {
          return call(
            frame,
            toA(a, pick(sizeA, a, b, c, d, e)),
            toB(b, pick(sizeB, a, b, c, d, e)),
            toC(c, pick(sizeC, a, b, c, d, e)),
            toD(d, pick(sizeD, a, b, c, d, e)),
            toE(e, pick(sizeE, a, b, c, d, e)),
          );
        } catch (error) {
          throw failed(error);
        }
      };
  }
}

function pick(index: number, a: Raw, b: Raw, c: Raw, d: Raw, e: Raw): Raw {
  if (index < 2) return index === 0 ? a : b;
  return index === 2 ? c : index === 3 ? d : e;
}

function sizeIndex(parameter: HelperParameter): number | undefined {
  if (typeof parameter === "string") return undefined;
  if ("readSized" in parameter) return parameter.readSized;
  return "writeSized" in parameter ? parameter.writeSized : undefined;
}

function converter(
  helper: Helper,
  index: number,
  frame: HelperFrame,
  mapAt: (address: number) => VmMap | undefined,
): Convert {
  const parameter = helper.parameters[index] as HelperParameter;
  if (typeof parameter !== "string") return memoryConverter(helper, parameter, frame);
  switch (parameter) {
    case "u32":
      return (raw) => (raw as number) >>> 0;
    case "bigint":
      return (raw) => BigInt.asUintN(64, raw as bigint);
    case "map":
      return (raw) => {
        const map = mapAt(raw as number);
        if (map === undefined) throw misuse(helper, index, `0x${raw.toString(16)}, which is no map`);
        return map;
      };
    case "context":
      return (raw) => {
        if (raw !== frame.state.context) throw misuse(helper, index, `0x${raw.toString(16)}, which is not the context`);
        return raw;
      };
    default:
      return same;
  }
}

function memoryConverter(
  helper: Helper,
  parameter: Exclude<HelperParameter, string>,
  { memory }: HelperFrame,
): Convert {
  const access = "read" in parameter || "readSized" in parameter ? "read" : "write";
  const fixed = "read" in parameter ? parameter.read : "write" in parameter ? parameter.write : undefined;
  const sized = sizeIndex(parameter);
  const signed = sized !== undefined && helper.parameters[sized] === "u32";
  const nullable = parameter.nullable === true;
  return (raw, size) => {
    if (nullable && raw === 0) return undefined;
    const address = raw as number;
    const length = fixed ?? (signed ? (size as number) >>> 0 : Number(size));
    // Nothing is touched where the length is 0, so that any address will do.
    if (length === 0) return memory.bytes.subarray(0, 0);
    if (!memory.mayAccess(address, length, access)) throw accessFault(memory, access, address, length);
    const start = memory.index(address);
    return memory.bytes.subarray(start, start + length);
  };
}

function same(raw: Raw): unknown {
  return raw;
}

/** An argument that the verifier would not let through. */
function misuse(helper: Helper, index: number, found: string): VmFault {
  return new VmFault("helper", `argument ${index + 1} of bpf_${helper.name} is ${found}`);
}
