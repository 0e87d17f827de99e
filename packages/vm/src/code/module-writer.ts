// SPDX-License-Identifier: Apache-2.0

import type { FieldKeeps } from "../context/context-layout.ts";
import type { Helper } from "../helper/helper.ts";
import { indirectHelpers } from "../map/indirect-helpers.ts";
import { regionPages } from "../memory/vm-memory.ts";
import type { RuntimeFunction } from "../runtime/runtime-function.ts";
import { ByteWriter } from "../wasm/byte-writer.ts";
import { Op, ValueType } from "../wasm/op.ts";
import { Code } from "./code.ts";
import { type ControlFlow, controlFlow } from "./control-flow.ts";
import { batchFunction, runFunction, runtimeExport } from "./entry-functions.ts";
import { FUNCTION_ADDRESS, FunctionWriter, localDeclarations } from "./function-writer.ts";
import { helperByNumber, parameterTypes, resultType } from "./helper-types.ts";
import { Known, KnownValues } from "./known-values.ts";
import { callsBack, callsRegister, helperCalls, movesPacket } from "./program-calls.ts";
import { type Structure, structureOf } from "./structure.ts";
import type { SupportFunction } from "./support-functions.ts";
import * as support from "./support-functions.ts";
import type { TranslatedMap, TranslationOptions, TranslationUnit } from "./translation-unit.ts";
import { unrollLoops } from "./unroll-loops.ts";
import { type CodeFunction, type ValidatedCode, validate } from "./validate.ts";
import { type Positions, writeFunction, writeInto } from "./write-function.ts";

const { I32, I64 } = ValueType;

/** The functions of a program that can be found in a stack trace. */
export interface FunctionPositions {
  /** Index of the function in the module. */
  readonly index: number;
  /** Where its body begins in the module's bytes. */
  readonly start: number;
  readonly positions: Positions;
}

/** A module, and what is needed to run it and to understand its traps. */
export interface TranslatedModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Helpers in the order of the imports `h.0`, `h.1` and so on. */
  readonly helpers: readonly Helper[];
  /** Whether it calls functions of maps that only a run finds out. */
  readonly indirect: boolean;
  /** First slots of the functions whose address is taken, exported as `f0`, `f1` and so on. */
  readonly addressTaken: readonly number[];
  readonly functions: readonly FunctionPositions[];
}

type Body = { readonly type: number; readonly write: () => Uint8Array };

/** A function that is written in place of its calls. */
interface InlineFunction {
  readonly code: Code;
  readonly flow: ControlFlow;
  readonly structure: Structure;
  /** Whether it calls nothing. */
  readonly alone: boolean;
}

/** Slots of the longest function that is written in place of its calls, and such calls of one program. */
const INLINE_SLOTS = 100;
const INLINE_CALLS = 64;

/** Types every module begins with: a function of eBPF, and the export that runs one. */
const FUNCTION_TYPE = 0;

/**
 * Puts a module together: the program's functions, those of the runtime that it calls, and what supports them, each when it
 * is first asked for.
 */
export class ModuleWriter {
  readonly options: TranslationOptions;
  /** Indices of the imported globals. */
  readonly globals = { fuel: 0, stackTop: 1, stackLimit: 2, runState: 3, result: 4 } as const;
  readonly #unit: TranslationUnit | undefined;
  readonly #types = new ByteWriter();
  readonly #typeIndices = new Map<string, number>();
  readonly #helpers: Helper[] = [];
  readonly #helperIndices = new Map<Helper, number>();
  readonly #bodies: Body[] = [];
  readonly #runtime = new Map<RuntimeFunction, number>();
  readonly #support = new Map<string, number>();
  readonly #small = new Map<RuntimeFunction, InlineFunction>();
  #inlined = 0;
  readonly #exports = new ByteWriter();
  #exported = 0;
  #indirect = false;
  readonly #positions: { index: number; positions: Positions; offset: number }[] = [];

  constructor(options: TranslationOptions, unit: TranslationUnit | undefined) {
    this.options = options;
    this.#unit = unit;
    this.#typeIndex([I64, I64, I64, I64, I64, I64], [I64]);
  }

  /** The index of a type, made when it is new. */
  #typeIndex(parameters: readonly number[], results: readonly number[]): number {
    const key = `${parameters.join()}:${results.join()}`;
    let index = this.#typeIndices.get(key);
    if (index === undefined) {
      index = this.#typeIndices.size;
      this.#typeIndices.set(key, index);
      this.#types.byte(0x60).unsigned(parameters.length).append(parameters);
      this.#types.unsigned(results.length).append(results);
    }
    return index;
  }

  #add(type: number, write: () => Uint8Array): number {
    this.#bodies.push({ type, write });
    return this.#helpers.length + this.#bodies.length - 1;
  }

  #export(name: string, index: number): void {
    this.#exports.name(name).byte(0).unsigned(index);
    this.#exported++;
  }

  /** Translates the program: `run(r1, r2) -> r0`, `batch(context, list, results, count)` and what its functions need. */
  program(unit: TranslationUnit): TranslatedModule {
    const { validated } = unit;
    this.#importHelpers(unit);
    const entry = this.#addCode(validated.code, validated.functions, undefined, unit.hasContext);
    const taken = validated.functions.filter(({ addressTaken }) => addressTaken).map(({ start }) => start);
    for (const [i, start] of taken.entries()) this.#export(`f${i}`, entry.get(start) as number);
    const main = entry.get(0) as number;
    const fuel = this.options.fuel;
    const tailCalls = [...helperCalls(unit)].includes(12);
    this.#export("main", main);
    const run = runFunction({ main, globals: this.globals, fuel, tailCalls, wide: this.options.addressBits === 64 });
    this.#export("run", this.#addSupport(run));
    if (unit.packet !== undefined) {
      const batch = batchFunction({
        main,
        globals: this.globals,
        fuel,
        tailCalls,
        wide: this.options.addressBits === 64,
        packet: unit.packet,
        enterPacket: this.#enterPacket(unit, unit.packet.enter),
        movesPacket: movesPacket(unit),
      });
      this.#export("batch", this.#addSupport(batch));
    }
    return this.#assemble(unit.name, taken);
  }

  /** Translates functions of the runtime for JavaScript: each exported by its name, and as `t:` and its name for the table. */
  runtimeModule(functions: readonly RuntimeFunction[]): TranslatedModule {
    for (const each of functions) {
      const index = this.runtimeFunction(each);
      this.#export(`t:${each.name}`, index);
      this.#export(each.name, this.#addSupport(runtimeExport(index, this.globals)));
    }
    return this.#assemble("runtime", []);
  }

  /** What prepares each packet of a batch; undefined for programs that see no more of it than its bounds. */
  #enterPacket(unit: TranslationUnit, enter: RuntimeFunction | undefined): number | undefined {
    const bounds = unit.packet?.length === undefined && !movesPacket(unit);
    return enter === undefined || bounds ? undefined : this.runtimeFunction(enter);
  }

  #importHelpers(unit: TranslationUnit): void {
    const wanted = new Set<Helper>(unit.hostFunctions.values());
    for (const id of helperCalls(unit)) {
      const helper = unit.helpers.get(id);
      if (helper !== undefined && !unit.runtimeHelpers.has(id)) wanted.add(helper);
    }
    if (callsRegister(unit)) wanted.add(helperByNumber);
    for (const helper of wanted) {
      this.#helperIndices.set(helper, this.#helpers.length);
      this.#helpers.push(helper);
      this.#typeIndex(parameterTypes(helper), resultType(helper.result));
    }
  }

  /** Index of the import that calls a helper whose number only a run knows. */
  helperByNumber(): number {
    return this.#imported(helperByNumber, "the helper by number").index;
  }

  #addCode(
    code: Code,
    functions: readonly CodeFunction[],
    runtime: RuntimeFunction | undefined,
    hasContext: boolean,
  ): Map<number, number> {
    const indices = new Map<number, number>();
    const fueled = this.options.fuel !== undefined && (runtime === undefined || callsBack(code));
    for (const { start, end, addressTaken } of functions) {
      const index = this.#add(FUNCTION_TYPE, () => {
        const plain = controlFlow(code, start, end);
        const flow = fueled ? unrollLoops(plain) : plain;
        const entry = hasContext && start === 0 ? Known.CONTEXT : Known.NOTHING;
        const known = new KnownValues(code, flow, entry, (slot) => this.#wideKind(code, runtime, slot));
        const writer = new FunctionWriter(this, code, known, runtime, indices, fueled);
        const positions = writeFunction(writer, structureOf(flow), addressTaken);
        const locals = localDeclarations(this.#wide ? I64 : I32, writer.inlines);
        if (runtime === undefined) this.#positions.push({ index, positions, offset: locals.length });
        return new ByteWriter().append(locals).append(writer.out.bytes).bytes;
      });
      indices.set(start, index);
    }
    return indices;
  }

  #wideKind(code: Code, runtime: RuntimeFunction | undefined, slot: number): { kind: number; value: number } {
    if (runtime === undefined) {
      const reference = this.#unit?.references.get(slot);
      if (reference !== undefined) {
        if ("map" in reference) return { kind: Known.MAP, value: slot };
        return reference.address < 2n ** 32n ? { kind: Known.ADDRESS, value: 0 } : nothing;
      }
      if (code.sources[slot] === 4)
        return { kind: Known.FUNCTION, value: slot + 1 + (code.immediates[slot] as number) };
    }
    const [low, high] = [code.immediates[slot] as number, code.immediates[slot + 1] as number];
    return high === low >> 31 ? { kind: Known.NUMBER, value: low } : nothing;
  }

  /** What an `ld_imm64` of the program or of a runtime function loads. */
  wideValue(writer: FunctionWriter, slot: number): bigint {
    const { code } = writer;
    if (writer.runtime === undefined) {
      const reference = this.#unit?.references.get(slot);
      if (reference !== undefined) return "map" in reference ? BigInt(reference.map.address) : reference.address;
      if (code.sources[slot] === 4) {
        const start = slot + 1 + (code.immediates[slot] as number);
        const taken = this.#unit?.validated.functions.filter(({ addressTaken }) => addressTaken) ?? [];
        const index = taken.findIndex((each) => each.start === start);
        return BigInt(FUNCTION_ADDRESS + (this.#unit?.tableBase ?? 0) + index);
      }
    }
    return code.wide(slot);
  }

  /** What is kept of the 32 bits at an offset in the context; undefined: all of them. */
  narrowField(offset: number): FieldKeeps | undefined {
    return this.#unit?.narrowFields.get(offset);
  }

  /** Where the context has its packet, if it has one. */
  get packet(): TranslationUnit["packet"] {
    return this.#unit?.packet;
  }

  /** The map that the `ld_imm64` at a slot of the program loads. */
  map(slot: number): TranslatedMap | undefined {
    const reference = this.#unit?.references.get(slot);
    return reference !== undefined && "map" in reference ? reference.map : undefined;
  }

  /** Calls a function of the runtime with r1 to r5 as they are; what is small is written in place of the call. */
  callRuntime(writer: FunctionWriter, runtime: RuntimeFunction): void {
    const small = this.#inline(runtime);
    if (small !== undefined && writer.runtime === undefined) {
      const { code, flow, structure } = small;
      const known = new KnownValues(code, flow, Known.NOTHING, (slot) => this.#wideKind(code, runtime, slot));
      writeInto(new FunctionWriter(this, code, known, runtime, new Map(), false, writer), writer, structure);
      return;
    }
    writer.storeFuel();
    for (let register = 1; register <= 5; register++) writer.get(register);
    writer.calleeFrame().call(this.runtimeFunction(runtime)).set(0).loadFuel();
  }

  /** A function that may be written in place of calls; each costs its size once more. */
  #inline(runtime: RuntimeFunction): InlineFunction | undefined {
    if (runtime.instructions.length > 8 * INLINE_SLOTS || this.#inlined >= INLINE_CALLS) return undefined;
    let small = this.#small.get(runtime);
    if (small === undefined) {
      const { code, functions } = runtimeCode(runtime);
      const flow = controlFlow(code, 0, code.length);
      small = { code, flow, structure: structureOf(flow), alone: functions.length === 1 && !callsBack(code) };
      this.#small.set(runtime, small);
    }
    if (!small.alone || !small.structure.reducible) return undefined;
    this.#inlined++;
    return small;
  }

  /** Index of a function of the runtime. */
  runtimeFunction(runtime: RuntimeFunction): number {
    const known = this.#runtime.get(runtime);
    if (known !== undefined) return known;
    const { code, functions } = runtimeCode(runtime);
    const index = this.#addCode(code, functions, runtime, false).get(0) as number;
    this.#runtime.set(runtime, index);
    return index;
  }

  /** A helper in C; undefined when the helper is in JavaScript. */
  runtimeHelper(id: number): RuntimeFunction | undefined {
    return this.#unit?.runtimeHelpers.get(id);
  }

  /** A helper in JavaScript. */
  helper(id: number): { helper: Helper; index: number } {
    return this.#imported(this.#unit?.helpers.get(id), `helper ${id}`);
  }

  /** The host function that the call at a slot names. */
  hostFunction(slot: number): { helper: Helper; index: number } {
    return this.#imported(this.#unit?.hostFunctions.get(slot), `the function called at ${slot}`);
  }

  #imported(helper: Helper | undefined, what: string): { helper: Helper; index: number } {
    const index = helper === undefined ? undefined : this.#helperIndices.get(helper);
    if (helper === undefined || index === undefined) throw new Error(`${what} was not imported`);
    return { helper, index };
  }

  /** The place of a map helper among the functions that a map has in the table. */
  indirectSlot(id: number): number {
    this.#indirect = true;
    return indirectHelpers.indexOf(id);
  }

  /** A call through the table, whose index is on the stack. */
  callIndirect(out: ByteWriter, op: number): void {
    out.byte(op).unsigned(FUNCTION_TYPE).unsigned(0);
  }

  /** Puts the index in memory of the run's state on the stack. */
  runField(writer: FunctionWriter): FunctionWriter {
    writer.getGlobal(this.globals.runState).i64(0x1_0000).op(Op.I64_SUB);
    return this.options.addressBits === 64 ? writer : writer.op(Op.I32_WRAP_I64);
  }

  #supported(key: string, make: () => SupportFunction): number {
    let index = this.#support.get(key);
    if (index === undefined) {
      index = this.#addSupport(make());
      this.#support.set(key, index);
    }
    return index;
  }

  #addSupport({ parameters, results, locals, body }: SupportFunction): number {
    const groups = [locals.length / 2, ...locals];
    return this.#add(this.#typeIndex(parameters, results), () => Uint8Array.from([...groups, ...body]));
  }

  get #wide(): boolean {
    return this.options.addressBits === 64;
  }

  regionCheck(size: number, access: "read" | "write"): number {
    const make = (): SupportFunction =>
      support.regionCheck({
        memorySize: this.options.memorySize,
        wide: this.#wide,
        size,
        write: access === "write",
        faultAddress: this.globals.result,
      });
    return this.#supported(`region ${size} ${access}`, make);
  }

  spanCheck(): number {
    return this.#supported("span", () => support.spanCheck(this.options.memorySize, this.options.regions));
  }

  mapCheck(): number {
    return this.#supported("map", () => support.mapCheck(this.options.maps, this.#wide));
  }

  setRegion(): number {
    return this.#supported("set region", () => support.setRegion());
  }

  equalSpans(): number {
    return this.#supported("equal", () => support.equalSpans(this.#wide));
  }

  hashSpan(): number {
    return this.#supported("hash", () => support.hashSpan(this.#wide, this.options.hashFactor));
  }

  #assemble(name: string, addressTaken: readonly number[]): TranslatedModule {
    // Writing a body may ask for more bodies.
    const codes = new ByteWriter();
    for (const { write } of this.#bodies) {
      const before = this.#positions.length;
      const body = write();
      codes.unsigned(body.length);
      if (this.#positions.length > before) (this.#positions.at(-1) as { offset: number }).offset += codes.length;
      codes.append(body);
    }
    const out = new ByteWriter();
    out.append([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    section(out, 1, new ByteWriter().unsigned(this.#typeIndices.size).append(this.#types.bytes));
    section(out, 2, this.#imports());
    const functions = new ByteWriter().unsigned(this.#bodies.length);
    for (const { type } of this.#bodies) functions.unsigned(type);
    section(out, 3, functions);
    section(out, 7, new ByteWriter().unsigned(this.#exported).append(this.#exports.bytes));
    const count = new ByteWriter().unsigned(this.#bodies.length);
    out.byte(10).unsigned(count.length + codes.length);
    out.append(count.bytes);
    const base = out.length;
    out.append(codes.bytes);
    const text = name.replace(/[^A-Za-z0-9_]/g, "_");
    const names = new ByteWriter().name("name").byte(0);
    const moduleName = new ByteWriter().name(text);
    section(out, 0, names.unsigned(moduleName.length).append(moduleName.bytes));
    return {
      bytes: out.bytes.slice() as Uint8Array<ArrayBuffer>,
      helpers: this.#helpers,
      indirect: this.#indirect,
      addressTaken,
      functions: this.#positions.map(({ index, positions, offset }) => ({ index, positions, start: base + offset })),
    };
  }

  #imports(): ByteWriter {
    const { memorySize, shared, regions } = this.options;
    const pages = memorySize / 65536;
    const out = new ByteWriter();
    out.name("e").name("memory").byte(2);
    out
      .byte((shared ? 3 : 1) | (this.#wide ? 4 : 0))
      .unsigned(pages)
      .unsigned(pages);
    if (regions) {
      const count = regionPages(pages);
      out
        .name("e")
        .name("regions")
        .byte(2)
        .byte(shared ? 3 : 1)
        .unsigned(count)
        .unsigned(count);
    }
    for (const [global, mutable] of [
      ["fuel", 1],
      ["stackTop", 1],
      ["stackLimit", 0],
      ["runState", 0],
      ["result", 1],
    ] as const) {
      out.name("e").name(global).byte(3).byte(I64).byte(mutable);
    }
    out.name("e").name("table").byte(1).byte(0x70).byte(0).unsigned(0);
    for (const [i, helper] of this.#helpers.entries()) {
      const type = this.#typeIndex(parameterTypes(helper), resultType(helper.result));
      out.name("h").name(String(i)).byte(0).unsigned(type);
    }
    const count = 1 + (regions ? 1 : 0) + 5 + 1 + this.#helpers.length;
    return new ByteWriter().unsigned(count).append(out.bytes);
  }
}

function runtimeCode(runtime: RuntimeFunction): ValidatedCode {
  return validate(runtime.name, new Code(runtime.instructions), {
    packets: false,
    helperProblem: () => undefined,
    functionProblem: () => "the runtime calls no kernel functions",
  });
}

const nothing = { kind: Known.NOTHING, value: 0 };

function section(out: ByteWriter, id: number, content: ByteWriter): void {
  out.byte(id).unsigned(content.length).append(content.bytes);
}
