// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BpfMap } from "../bpf-map.ts";
import { BtfBuilder } from "../btf/btf-builder.ts";
import { BtfKind } from "../btf/types.ts";
import { TestBtf } from "../columns/btf/btf.test-kit.ts";
import { type NewSection, writeElf } from "../elf/write-elf.ts";
import type { Engine } from "../engine.ts";
import { NotFoundError } from "../errors.ts";
import type { MapSpec } from "../map-spec.ts";
import type { RecordBatch } from "../record-batch.ts";
import { objectFromBase64, objectToBase64 } from "./base64.ts";
import { generate, generateJavaScript } from "./generate.ts";
import { moduleNameOf } from "./module-names.ts";
import { printTypeScript } from "./print-typescript.ts";
import { TypeScriptNames } from "./typescript-names.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const object = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../test-objects/${name}.bpf.o`, import.meta.url)));
const execObject = new Uint8Array(readFileSync(join(root, "packages/collector/collectors/exec/exec.bpf.o")));
const library = new URL("../index.ts", import.meta.url).pathname;
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "skep-generate-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(join(root, "node_modules/@skep"), join(folder, "node_modules/@skep"));
  symlinkSync(join(root, "node_modules/@types"), join(folder, "node_modules/@types"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Checks modules under the repository's own compiler settings; returns what tsc has to say. */
function typeCheck(...files: string[]): string {
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: join(root, "tsconfig.base.json"), compilerOptions: { noEmit: true }, files }),
  );
  try {
    return execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
  } catch (error) {
    // Errors of the library itself are found elsewhere.
    const lines = (error as { stdout: string }).stdout.split("\n");
    return lines.filter((line) => line.includes("skep-generate-")).join("\n");
  }
}

/** An engine that remembers the data of maps, and loads whatever it is given. */
function fakeEngine(batches: readonly RecordBatch[] = []): { engine: Engine; open: Set<string> } {
  const open = new Set<string>();
  const make = <T extends object>(name: string, parts: T) => {
    open.add(name);
    const close = () => void open.delete(name);
    return { ...parts, close, [Symbol.dispose]: close };
  };
  const engine = {
    name: "fake",
    capabilities: { recording: false, kernelTypes: false },
    loadTypes: () => make("types", {}),
    createMap: (spec: MapSpec): BpfMap =>
      make(`map ${spec.name}`, {
        spec,
        rawValueSize: spec.valueSize,
        lookupRaw: (_key: Uint8Array, value: Uint8Array) => {
          value.set(spec.data?.contents ?? []);
          return true;
        },
        memory: () => make(`memory ${spec.name}`, { bytes: spec.data?.contents, stride: 0, writable: false }),
        records: () =>
          make("reader", {
            async *[Symbol.asyncIterator]() {
              yield* batches;
            },
          }),
      }) as unknown as BpfMap,
    loadProgram: ({ spec }: { spec: { name: string } }) => make(`program ${spec.name}`, { name: spec.name }),
  } as unknown as Engine;
  return { engine, open };
}

describe("generate", () => {
  it("writes modules that pass the repository's compiler settings, with the types that the object has", () => {
    const names = ["maps", "variables", "minimal", "core", "subprograms", "struct-ops"];
    for (const name of names) writeFileSync(join(folder, `${name}.ts`), generate(object(name), { name }));
    writeFileSync(join(folder, "exec.ts"), generate(execObject, { name: "exec" }));
    for (const [name, bytes] of [["exec", execObject] as const, ["plain", object("core")] as const]) {
      const { code, declarations } = generateJavaScript(bytes, { name, types: name === "plain" ? ["state"] : [] });
      writeFileSync(join(folder, `${name}.bpf.js`), code);
      writeFileSync(join(folder, `${name}.bpf.d.ts`), declarations);
    }
    writeFileSync(
      join(folder, "use.ts"),
      `import type { BpfMap, Codec, LoadOptions } from "@skep/ebpf";
       import { loadMaps, type Event, type Key, mapsCodecs } from "./maps.ts";
       import { loadExec } from "./exec.ts";
       import { loadExec as loadPlainExec } from "./exec.bpf.js";
       import { State } from "./plain.bpf.js";
       import { loadVariables } from "./variables.ts";
       import { loadStructOps } from "./struct-ops.ts";
       export function use(engine: LoadOptions["engine"]): void {
         using maps = loadMaps({ engine, programs: ["record"] });
         const counts: BpfMap<Key, bigint> = maps.maps.counts;
         counts.update({ pid: 1, kind: 2 }, 3n);
         // @ts-expect-error a key has a kind
         counts.update({ pid: 1 }, 3n);
         // @ts-expect-error there is no such map
         maps.maps.nothing;
         const codec: Codec<Event> = mapsCodecs().event;
         codec.encode({ time: 1n, comm: "a" }, new Uint8Array(24), 0);
         using variables = loadVariables({ engine, variables: { minimum_ns: 5, limits: { low: 1, high: 2 } } });
         const counters: number[] = variables.variables.counters.get();
         const verbose: boolean = variables.variables.verbose.get();
         using ops = loadStructOps({ engine });
         ops.structOps.linked.attach().update(ops.structOps.linked_too);
         // @ts-expect-error it is no map to look things up in
         ops.maps.linked;
         // @ts-expect-error it is a number
         loadVariables({ engine, variables: { minimum_ns: counters[0] === 1 && verbose ? 5n : 6n } });
       }
       export async function read(engine: LoadOptions["engine"]): Promise<string[]> {
         using exec = loadExec({ engine, variables: { only_uid: 0 } });
         for (const link of exec.attach()) link.close();
         for await (const { pid, comm } of exec.records.execs()) if (pid > 0) return [comm];
         // @ts-expect-error it is no stream
         exec.records.execs_ledger;
         return [];
       }
       export async function readPlain(engine: LoadOptions["engine"]): Promise<string[]> {
         using exec = loadPlainExec({ engine, variables: { only_uid: 0 } });
         for await (const { pid, comm } of exec.records.execs()) if (pid > 0) return [comm];
         // @ts-expect-error it is a number
         loadPlainExec({ engine, variables: { only_uid: "root" } });
         const idle: 1 = State.STATE_IDLE;
         return [String(idle satisfies State)];
       }\n`,
    );
    expect(typeCheck(...names.map((name) => `${name}.ts`), "exec.ts", "use.ts")).toBe("");
  }, 60_000);

  it("writes the same in JavaScript", async () => {
    const { code } = generateJavaScript(object("variables"), { name: "variables", library });
    const path = join(folder, "plain-variables.js");
    writeFileSync(path, code);
    const module = await import(/* @vite-ignore */ pathToFileURL(path).href);
    const { engine, open } = fakeEngine();
    const loaded = module.loadVariables({ engine, variables: { minimum_ns: 7 } });
    expect(loaded.variables.minimum_ns.get()).toBe(7);
    expect(Object.keys(loaded.maps)).toEqual([]);
    expect(module.variablesCodecs().limits.size).toBe(8);
    loaded[Symbol.dispose]();
    expect([...open]).toEqual([]);
  });

  it("reads the records of a typed ring buffer as values", async () => {
    const path = join(folder, "load-exec.ts");
    writeFileSync(path, generate(execObject, { name: "exec", library }));
    const module = await import(/* @vite-ignore */ pathToFileURL(path).href);
    const size = module.execCodecs().exec_event.size;
    const bytes = new Uint8Array(2 * size);
    const event = module.execCodecs().exec_event.decode(bytes, 0);
    module.execCodecs().exec_event.encode({ ...event, pid: 7, comm: "a" }, bytes, 0);
    module.execCodecs().exec_event.encode({ ...event, pid: 8, comm: "b" }, bytes, size);
    const batch = (lengths: number[]) => ({
      count: lengths.length,
      bytes,
      offsets: Uint32Array.of(0, size),
      lengths: Uint32Array.from(lengths),
      lost: 0,
    });
    const { engine, open } = fakeEngine([batch([size, size]), batch([size - 1])]);
    using exec = module.loadExec({ engine });
    const found: string[] = [];
    const reading = async (): Promise<void> => {
      for await (const { pid, comm } of exec.records.execs()) {
        expect([...open]).toContain("reader");
        found.push(`${pid} ${comm}`);
      }
    };
    await expect(reading()).rejects.toThrow(
      `map "execs": a record is ${size - 1} bytes, the type that it is read as has ${size}`,
    );
    expect(found).toEqual(["7 a", "8 b"]);
    expect([...open]).not.toContain("reader");
    for await (const { pid } of exec.records.execs()) {
      expect(pid).toBe(7);
      break;
    }
    expect([...open]).not.toContain("reader");
  });

  it("loads what is embedded, with initial values, and closes all of it", async () => {
    const path = join(folder, "load-variables.ts");
    writeFileSync(path, generate(object("variables"), { name: "variables", library }));
    const module = await import(/* @vite-ignore */ pathToFileURL(path).href);
    const { engine, open } = fakeEngine();
    const loaded = module.loadVariables({ engine, variables: { minimum_ns: 7, wanted_comm: "bash" } });
    expect(loaded.variables.minimum_ns.get()).toBe(7);
    expect(loaded.variables.wanted_comm.get()).toBe("bash");
    expect(loaded.variables.limits.get()).toEqual({ low: 1, high: 9 });
    expect(loaded.variables.balance.get()).toBe(-5n);
    expect(loaded.programs.on_exec.name).toBe("on_exec");
    expect(module.variablesCodecs().limits.size).toBe(8);
    loaded.close();
    loaded.close();
    expect([...open]).toEqual([]);
  });

  it("gives equal text for equal objects, and names its source", () => {
    const options = { name: "maps", source: "maps.bpf.c" };
    expect(generate(object("maps"), options)).toBe(generate(object("maps"), options));
    const broken = generate(object("maps"), { name: "maps", source: "a\u2028b\nc.bpf.c" });
    expect(broken).toMatch(/^\/\/ Generated by `skep bpf generate` from a b c\.bpf\.c\./);
    expect(generate(object("maps"), options)).toMatch(/^\/\/ Generated by `skep bpf generate` from maps\.bpf\.c\./);
  });

  it("declares types that are asked for, and refuses those that are not there", () => {
    const text = generate(object("core"), { name: "core", types: ["widget", "state"] });
    expect(text).toContain("export interface Widget {");
    expect(text).toContain('export type State = "');
    expect(() => generate(object("core"), { name: "core", types: ["nothing"] })).toThrow(NotFoundError);
  });

  it("keeps its own names and those of every object from what the object calls so", async () => {
    const builder = new BtfBuilder();
    const values = [{ name: "__proto__", value: 7 }];
    const type = builder.add({ kind: BtfKind.ENUM, name: "OBJECT", size: 4, signed: false, values });
    const variables = [
      { type: builder.add({ kind: BtfKind.VAR, name: "v", type, linkage: "global" }), offset: 0, size: 4 },
    ];
    builder.add({ kind: BtfKind.DATASEC, name: ".data", size: 4, variables });
    const section = (name: string, bytes: Uint8Array, flags: number): NewSection => ({
      ...{ name, bytes, flags, type: 1, size: bytes.length, alignment: 4, entrySize: 0, relocations: [] },
    });
    const symbol = { name: "v", value: 0, size: 4, type: 1, binding: 1, visibility: 0, section: 1 };
    const bytes = writeElf(
      "little",
      [section(".data", new Uint8Array(4), 3), section(".BTF", builder.build(), 0)],
      [symbol],
    );
    const { code } = generateJavaScript(bytes, { name: "clash", library });
    const path = join(folder, "clash.js");
    writeFileSync(path, code);
    const module = await import(/* @vite-ignore */ pathToFileURL(path).href);
    expect(Object.entries(module.OBJECT2)).toEqual([["__proto__", 7]]);
    expect(module.clashSpec().variables.get("v").size).toBe(4);
  });

  it("names modules after their files", () => {
    expect(moduleNameOf("/a/b/exec.bpf.c")).toBe("exec");
    expect(moduleNameOf("tcp-life.bpf.o")).toBe("tcpLife");
    expect(moduleNameOf("7zip.o")).toBe("t7zip");
  });
});

describe("printTypeScript", () => {
  it("writes what codecs decode: text, bytes, labels, bitfields, unions, what is anonymous", () => {
    const btf = new TestBtf();
    const u8 = btf.int("unsigned char", 1);
    const char = btf.int("char", 1, { signed: true });
    const u32 = btf.int("unsigned int", 4);
    const u64 = btf.int("unsigned long long", 8);
    const color = btf.enumeration("color", 4, false, [
      { name: "RED", value: 0 },
      { name: "BLUE", value: 7 },
    ]);
    const both = btf.union("", [
      { name: "whole", type: u64 },
      { name: "parts", type: btf.array(u32, 2) },
    ]);
    btf.struct("the_event", [
      { name: "name", type: btf.array(char, 16) },
      { name: "digest", type: btf.array(u8, 20) },
      { name: "colour", type: color },
      { name: "small", type: u64, bitSize: 5 },
      { name: "large", type: u64, bitSize: 40 },
      { name: "", type: both },
      { name: "next", type: btf.pointer(0) },
    ]);
    expect(
      printTypeScript(btf),
    ).toBe(`/** \`enum color\`, 4 bytes: a value is its label, or a number when it has none. */
export type Color = "RED" | "BLUE" | number;

/** The values of \`enum color\`. */
export const Color = {
  RED: 0,
  BLUE: 7,
} as const;

/** \`struct the_event\`, 64 bytes. */
export interface TheEvent {
  /** at byte 0 */
  name: string;
  /** at byte 16 */
  digest: Uint8Array;
  /** color, at byte 36 */
  colour: Color;
  /** unsigned long long, 5 bits at bit 320 */
  small: number;
  /** unsigned long long, 40 bits at bit 325 */
  large: bigint;
  /** unsigned long long, at byte 48 */
  whole?: bigint;
  /** at byte 48 */
  parts?: number[];
  /** at byte 56 */
  next: bigint;
}
`);
  });

  it("keeps away from the names of the language and of its own", () => {
    const btf = new TestBtf();
    btf.struct("map", [{ name: "strange name", type: btf.int("int", 4, { signed: true }) }]);
    btf.struct("record*/", []);
    const text = printTypeScript(btf);
    expect(text).toContain("export interface Map2 {");
    expect(text).toContain('"strange name": number;');
    expect(text).toContain("export type Record2 = Record<string, never>;");
    expect(text).toContain("`struct record* /`");
    const names = new TypeScriptNames(["Set3"]);
    expect(["set", "set", "set2", "set", "map"].map((name) => names.take(name))).toEqual([
      ...["Set", "Set2", "Set22", "Set4", "Map2"],
    ]);
  });
});

describe("objects in base64", () => {
  it("come back as they were", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
        expect(objectFromBase64(objectToBase64(bytes))).toEqual(new Uint8Array(bytes));
      }),
      { numRuns: 30 },
    );
  });
});
