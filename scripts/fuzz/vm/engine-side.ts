// SPDX-License-Identifier: Apache-2.0

import {
  type BpfMap,
  disassemble,
  type Engine,
  encodeProgram,
  type Program,
  type ProgramSpec,
  ProgramType,
  parseAssembly,
  type TypesHandle,
} from "@skep/ebpf";
import type { FuzzInput } from "./fuzz-input.ts";
import { DUMP_SIZES, dumpMap, HASH_KEYS, mapSpecs, tailMap } from "./fuzz-maps.ts";
import { fuzzTypes, MAIN_TYPE } from "./fuzz-types.ts";
import type { FuzzProgram } from "./generate-program.ts";

const CONTEXT_SIZE = 192;
/** Bytes that a packet can grow by. */
const GROWTH = 4096;
const TYPES = [ProgramType.XDP, ProgramType.SCHED_CLS, ProgramType.SOCKET_FILTER];

/** What a run leaves: comparable byte by byte, under names to tell where it differs. */
export type Trace = ReadonlyMap<string, Uint8Array>;

/** A program in an engine, and what it must be reset and looked at for. */
export interface LoadedFuzzProgram extends Disposable {
  readonly type: number;
  readonly program: Program;
  readonly maps: ReadonlySet<string>;
}

/** One of the engines that are compared, with the maps that all programs share. */
export class EngineSide implements Disposable {
  readonly engine: Engine;
  readonly #maps: ReadonlyMap<string, BpfMap>;
  readonly #types: TypesHandle | undefined;
  readonly #resources = new DisposableStack();

  constructor(engine: Engine) {
    this.engine = this.#resources.use(engine);
    this.#types = engine.loadTypes(fuzzTypes());
    if (this.#types !== undefined) this.#resources.use(this.#types);
    this.#maps = new Map(
      mapSpecs.map((spec) => [spec.name, this.#resources.use(engine.createMap(spec, undefined, undefined))]),
    );
    for (const type of TYPES) this.#fillTails(type);
  }

  /** Throws what the engine throws for a program that it refuses. With 0 a kernel does not say why. */
  load({ code, type }: FuzzProgram, logLevel?: 0): LoadedFuzzProgram {
    const encoded = encodeProgram(code);
    const spec: ProgramSpec = {
      ...encoded,
      ...{ name: "fuzz", section: "fuzz", type, expectedAttachType: 0, flags: 0, attachTo: "", target: undefined },
      ...{ license: "GPL", kernelVersion: 0 },
    };
    const program = this.engine.loadProgram({
      ...{ spec, instructions: encoded.instructions, maps: this.#maps, types: this.#types },
      ...(logLevel !== undefined && { logLevel }),
    });
    const maps = new Set(["direct", ...encoded.mapReferences.map(({ map }) => map)]);
    return { type, program, maps, [Symbol.dispose]: () => program.close() };
  }

  /** Runs it on an input, from maps that hold what the input says. */
  run({ program, maps, type }: LoadedFuzzProgram, input: FuzzInput): Trace {
    this.#reset(maps, input);
    if (program.run === undefined) throw new Error(`engine "${this.engine.name}" runs nothing`);
    const { context } = input;
    const result = program.run({
      ...{ data: input.data, dataOutSize: input.data.length + GROWTH },
      ...(context !== undefined && { context, contextOutSize: CONTEXT_SIZE }),
    });
    const returned = new Uint8Array(4);
    new DataView(returned.buffer).setUint32(0, result.returned, true);
    const trace = new Map([
      ["returned", returned],
      ["packet", result.data],
    ]);
    if (type !== ProgramType.XDP) trace.set("context", result.context);
    this.#observe(maps, trace);
    return trace;
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }

  #map(name: string): BpfMap {
    const map = this.#maps.get(name);
    if (map === undefined) throw new Error(`there is no map "${name}"`);
    return map;
  }

  #reset(used: ReadonlySet<string>, input: FuzzInput): void {
    this.#map("direct").updateRaw(keys(0), input.direct);
    if (used.has("array")) {
      const array = this.#map("array");
      for (const [i, value] of input.array.entries()) array.updateRaw(keys(i), value);
    }
    if (used.has("hash")) {
      const hash = this.#map("hash");
      for (let i = 0; i < HASH_KEYS; i++) hash.deleteRaw(keys(i));
      for (const [i, value] of input.hash.entries()) if (value !== undefined) hash.updateRaw(keys(i), value);
    }
    for (const name of ["queue", "stack"] as const) {
      if (!used.has(name)) continue;
      const map = this.#map(name);
      while (map.pop() !== undefined);
      for (const value of input[name]) map.push(value);
    }
    for (const size of DUMP_SIZES)
      if (used.has(dumpMap(size))) this.#map(dumpMap(size)).updateRaw(keys(0), zeros(size));
  }

  #observe(used: ReadonlySet<string>, trace: Map<string, Uint8Array>): void {
    const read = (map: BpfMap, key: number, name: string): void => {
      const value = new Uint8Array(map.rawValueSize);
      if (map.lookupRaw(keys(key), value)) trace.set(name, value);
    };
    read(this.#map("direct"), 0, "direct");
    for (const size of DUMP_SIZES) if (used.has(dumpMap(size))) read(this.#map(dumpMap(size)), 0, "dump");
    for (const [name, count] of [
      ["array", 4],
      ["hash", HASH_KEYS],
    ] as const) {
      if (!used.has(name)) continue;
      for (let i = 0; i < count; i++) read(this.#map(name), i, `${name}[${i}]`);
    }
    for (const name of ["queue", "stack"]) {
      if (!used.has(name)) continue;
      const map = this.#map(name) as BpfMap<unknown, Uint8Array>;
      let i = 0;
      for (let value = map.pop(); value !== undefined; value = map.pop()) trace.set(`${name}[${i++}]`, value.slice());
    }
  }

  /** Two programs that a tail call may lead to; the second goes on to the first. */
  #fillTails(type: number): void {
    const last = `
      lddw %r1, map[direct][0]+8
      mov %r2, 3
      lock fetch add [%r1+0], %r2
      mov %r0, 0x1234
      add %r0, %r2
      exit`;
    const next = `
      mov %r6, %r1
      lddw %r3, map[direct][0]+0
      stw [%r3+4], 77
      lddw %r2, map[${tailMap(type)}]
      mov %r3, 0
      call 12
      mov %r0, 9
      exit`;
    for (const [i, source] of [last, next].entries()) {
      const [first, ...rest] = parseAssembly(source);
      const code = [{ ...first, opcode: first?.opcode ?? 0, functionTypeId: MAIN_TYPE }, ...rest];
      const loaded = this.#resources.use(this.load({ type, code, runs: [], fixed: [], dumpSize: 128 }));
      (this.#map(tailMap(type)) as BpfMap<Uint8Array, Program>).update(keys(i), loaded.program);
    }
  }
}

/** A program as text, with its maps. */
export function programText({ code }: Pick<FuzzProgram, "code">): string {
  return disassemble({ name: "fuzz", ...encodeProgram(code) }, { lines: false });
}

const KEYS = Array.from({ length: 16 }, (_, i) => Uint8Array.of(i, 0, 0, 0));
const ZEROS = new Map(DUMP_SIZES.map((size) => [size, new Uint8Array(size)]));

function keys(i: number): Uint8Array {
  return KEYS[i] as Uint8Array;
}

function zeros(size: number): Uint8Array {
  return ZEROS.get(size) as Uint8Array;
}
