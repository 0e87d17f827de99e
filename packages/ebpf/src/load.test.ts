// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { AttachTarget } from "./attach-target.ts";
import type { BpfMap } from "./bpf-map.ts";
import type { Btf } from "./btf/btf.ts";
import { BtfBuilder } from "./btf/btf-builder.ts";
import { readBtf } from "./btf/read-btf.ts";
import type { CollectionSpec } from "./collection-spec.ts";
import type { Capabilities, Engine, Link, LoadableProgram, Program, TypesHandle } from "./engine.ts";
import { ClosedError, InvalidValueError, NotFoundError } from "./errors.ts";
import { Instructions, Opcode } from "./instruction.ts";
import { load } from "./load.ts";
import type { MapSpec } from "./map-spec.ts";
import { parseObject } from "./parse-object.ts";
import type { ProgramSpec } from "./program-spec.ts";

function object(name: string) {
  return parseObject(new Uint8Array(readFileSync(new URL(`../test-objects/${name}.bpf.o`, import.meta.url))));
}

/** Keeps a diary of what is made and closed. Holds the data of the sections, as arrays in a kernel would. */
class DiaryEngine implements Engine {
  readonly name = "diary";
  readonly capabilities: Capabilities;
  readonly diary: string[] = [];
  readonly loaded: LoadableProgram[] = [];
  readonly open = new Set<string>();
  /** Making or closing the thing of this name fails. */
  failing = "";
  readonly #types: Btf | undefined;

  constructor(types?: Btf, capabilities: Partial<Capabilities> = {}) {
    this.#types = types;
    this.capabilities = { recording: false, kernelTypes: true, ...capabilities };
  }

  clockOffset(): bigint {
    return 0n;
  }

  kernelTypes(): Btf | undefined {
    return this.#types;
  }

  loadTypes(): TypesHandle {
    return this.#make("types", {});
  }

  createMap(spec: MapSpec): BpfMap {
    const contents = spec.data?.contents;
    return this.#make(`map ${spec.name}`, {
      spec,
      rawValueSize: spec.valueSize,
      memory: () =>
        this.#make(`memory of ${spec.name}`, {
          bytes: contents ?? new Uint8Array(0),
          stride: spec.valueSize,
          writable: spec.data?.readOnly !== true,
        }),
    }) as unknown as BpfMap;
  }

  loadProgram(program: LoadableProgram): Program {
    this.loaded.push(program);
    return this.#make(`program ${program.spec.name}`, { name: program.spec.name });
  }

  attach(program: Program, target: AttachTarget): Link {
    const unused = (): never => {
      throw new Error("not used here");
    };
    return this.#make(`link ${program.name}`, {
      target,
      update: unused,
      detach: unused,
      info: unused,
      openIterator: unused,
    });
  }

  attachStructOps(map: BpfMap): Link {
    const held = { name: map.spec.name } as Program;
    return this.attach(held, { structOps: map });
  }

  close(): void {
    this.diary.push("closed the engine");
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #make<T extends object>(name: string, parts: T): T & { close(): void; [Symbol.dispose](): void } {
    if (this.failing === `make ${name}`) throw new Error(`cannot make ${name}`);
    this.diary.push(`+ ${name}`);
    this.open.add(name);
    const close = () => {
      this.diary.push(`- ${name}`);
      this.open.delete(name);
      if (this.failing === `close ${name}`) throw new Error(`cannot close ${name}`);
    };
    return { ...parts, close, [Symbol.dispose]: close };
  }
}

describe("load", () => {
  it("makes maps, then programs, and gives the types back", () => {
    const engine = new DiaryEngine();
    using collection = load(object("maps"), { engine });
    expect([...collection.maps.keys()]).toEqual(["hidden_map", "counts", "totals", "seen", "samples", "events"]);
    expect(engine.diary.at(0)).toBe("+ types");
    expect(engine.diary.at(-2)).toBe("+ program record");
    expect(engine.diary.at(-1)).toBe("- types");
    expect([...engine.loaded[0]!.maps.keys()].length).toBe(6);
  });

  it("loads only the programs that are named, with their maps and the streams", () => {
    const engine = new DiaryEngine();
    using collection = load(object("subprograms"), { engine, programs: ["plain"] });
    expect([...collection.programs.keys()]).toEqual(["plain"]);
    expect([...collection.maps.keys()]).toEqual([]);
    using streams = load(object("maps"), { engine, programs: [] });
    expect([...streams.maps.keys()]).toEqual(["samples", "events"]);
  });

  it("makes structs of functions last, of programs that are loaded by them alone", () => {
    const engine = new DiaryEngine();
    using collection = load(object("struct-ops"), { engine });
    expect([...collection.programs.keys()]).toEqual(["one", "two"]);
    expect([...collection.maps.keys()]).toEqual(["linked", "linked_too", "plain"]);
    expect(engine.diary.slice(1, 4)).toEqual(["+ program one", "+ program two", "+ map linked"]);
    expect(engine.loaded.map(({ spec }) => spec.attachTo)).toEqual(["the_ops:first", "the_ops:second"]);
    expect(collection.attach()).toHaveLength(3);
    expect(collection.structOps("linked").links).toHaveLength(1);
    expect(collection.attach()).toHaveLength(0);
    collection.close();
    expect(engine.open).toEqual(new Set());
    expect(engine.diary.filter((line) => /^- (link|map|program)/.test(line)).map((line) => line.split(" ")[1])).toEqual(
      ["link", "link", "link", "program", "program", "map", "map", "map"],
    );
  });

  it("takes structs of functions by name, with other programs where the spec says so", () => {
    const spec = object("struct-ops");
    using none = load(spec, { engine: new DiaryEngine(), programs: [] });
    expect([none.maps.size, none.programs.size]).toEqual([0, 0]);
    spec.maps.get("optional")?.structOps?.programs.set("first", "two");
    using asked = load(spec, { engine: new DiaryEngine(), structOps: ["optional"] });
    expect([...asked.programs.values()].map(({ name, spec }) => [name, spec.attachTo])).toEqual([
      ["two", "the_ops:first"],
    ]);
    expect(asked.structOps("optional").name).toBe("optional");
    expect(() => asked.structOps("linked")).toThrow('no struct_ops "linked"; there is optional');
  });

  it("loads programs marked with ? only when they are named", () => {
    using without = load(object("minimal"), { engine: new DiaryEngine() });
    expect(without.programs.size).toBe(0);
    using asked = load(object("minimal"), { engine: new DiaryEngine(), programs: ["on_exit"] });
    expect([...asked.programs.keys()]).toEqual(["on_exit"]);
  });

  it("writes variables into copies of the sections before the maps are made", () => {
    const spec = object("variables");
    const before = spec.maps.get(".rodata")!.data!.contents.slice();
    const engine = new DiaryEngine();
    using collection = load(spec, {
      engine,
      variables: { minimum_ns: 5, wanted_comm: "bash", limits: { low: 2, high: 3 }, balance: -9n },
    });
    expect(collection.variable("minimum_ns").get()).toBe(5);
    expect(collection.variable("wanted_comm").get()).toBe("bash");
    expect(collection.variable("limits").get()).toEqual({ low: 2, high: 3 });
    expect(collection.variable("balance").get()).toBe(-9n);
    expect(collection.variable("settings").get()).toBe(7);
    expect(spec.maps.get(".rodata")!.data!.contents).toEqual(before);
  });

  it("changes variables of the running object, and refuses to change constants", () => {
    const engine = new DiaryEngine();
    const collection = load(object("variables"), { engine });
    const balance = collection.variable<bigint>("balance");
    balance.set(-5n);
    expect(balance.get()).toBe(-5n);
    expect(collection.variable("balance").get()).toBe(-5n);
    expect(() => balance.set(1n << 70n)).toThrow(/^variable "balance": /);
    expect(balance.get()).toBe(-5n);
    expect(() => collection.variable("minimum_ns").set(1)).toThrow(
      'variable "minimum_ns" lies in ".rodata", which is frozen; give its value to `load`',
    );
    collection.close();
    expect(() => balance.get()).toThrow(ClosedError);
    expect([...engine.open]).toEqual([]);
  });

  it("refuses unknown variables, programs and maps, listing what there is", () => {
    const engine = new DiaryEngine();
    const spec = object("variables");
    expect(() => load(spec, { engine, variables: { minimum: 1 } })).toThrow(NotFoundError);
    expect(() => load(spec, { engine, variables: { minimum: 1 } })).toThrow(
      /no variable "minimum"; there are .*minimum_ns/,
    );
    expect(() => load(spec, { engine, programs: ["nothing"] })).toThrow('no program "nothing"; there is on_exec');
    expect(() => load(spec, { engine, maps: new Map([["x", {} as BpfMap]]) })).toThrow('no map "x"');
    expect(engine.diary).toEqual([]);
  });

  it("refuses a program that was changed to refer to a map or an extern that there is not", () => {
    const engine = new DiaryEngine();
    const spec = object("variables");
    const program = spec.programs.get("on_exec");
    if (program === undefined) throw new Error("no program");
    const reference = { instruction: 0, map: "typo", valueOffset: undefined };
    const changed = (change: Partial<ProgramSpec>): CollectionSpec => ({
      ...spec,
      programs: new Map([...spec.programs, ["on_exec", { ...program, ...change }]]),
    });
    const mapReferences = [...program.mapReferences, reference];
    expect(() => load(changed({ mapReferences }), { engine })).toThrow('no map "typo"; there are');
    const externReferences = [{ instruction: 0, name: "bpf_typo" }];
    expect(() => load(changed({ externReferences }), { engine })).toThrow('no extern "bpf_typo"');
    expect(engine.diary).toEqual([]);
  });

  it("names the variable whose value does not fit", () => {
    const engine = new DiaryEngine();
    const attempt = () => load(object("variables"), { engine, variables: { minimum_ns: 2 ** 40 } });
    expect(attempt).toThrow(InvalidValueError);
    expect(attempt).toThrow(/^variable "minimum_ns": /);
  });

  it("uses given maps that fit, and leaves them open", () => {
    const engine = new DiaryEngine();
    const spec = object("maps");
    const own = engine.createMap(spec.maps.get("counts")!);
    load(spec, { engine, maps: new Map([["counts", own]]) }).close();
    expect(engine.open).toEqual(new Set(["map counts"]));
    const other = engine.createMap({ ...spec.maps.get("counts")!, valueSize: 16 });
    expect(() => load(spec, { engine, maps: new Map([["counts", other]]) })).toThrow(
      'map "counts": the given one is hash, 8 and 16 bytes',
    );
    const constants = object("variables");
    const given = new Map([[".rodata", engine.createMap(constants.maps.get(".rodata")!)]]);
    load(constants, { engine, maps: given }).close();
    expect(() => load(constants, { engine, maps: given, variables: { minimum_ns: 1 } })).toThrow(
      'variable "minimum_ns" lies in map ".rodata", which is given with what it holds',
    );
  });

  it.each(["make map events", "make program record", "make types"])(
    "leaves nothing open when it cannot %s",
    (failing) => {
      const engine = new DiaryEngine();
      engine.failing = failing;
      expect(() => load(object("maps"), { engine })).toThrow(failing.replace("make", "cannot make"));
      expect(engine.open.size).toBe(0);
    },
  );

  it("applies CO-RE against the engine's types", () => {
    const spec = object("core");
    const engine = new DiaryEngine(readBtf(spec.btf!.bytes));
    load(spec, { engine, programs: ["fields"] }).close();
    expect(engine.loaded[0]!.instructions).toEqual(spec.programs.get("fields")!.instructions);
    expect(engine.loaded[0]!.instructions).not.toBe(spec.programs.get("fields")!.instructions);
  });

  it("applies CO-RE against types that are given in place of the engine's", () => {
    const spec = object("core");
    const engine = new DiaryEngine(undefined, { kernelTypes: false });
    const kernelTypes = readBtf(new BtfBuilder().build());
    load(spec, { engine, programs: ["fields"], kernelTypes }).close();
    const code = new Instructions(engine.loaded[0]!.instructions, "little");
    // Such a kernel has none of the types.
    const { instruction } = spec.programs.get("fields")!.coreRelocations[0]!;
    expect([code.opcode(instruction), code.immediate(instruction)]).toEqual([Opcode.CALL, 0xbad2310]);
  });

  it("looks at the engine's modules for what the kernel itself has no type for", () => {
    const spec = object("core");
    const engine = Object.assign(new DiaryEngine(readBtf(new BtfBuilder().build())), {
      moduleTypes: () => [readBtf(spec.btf!.bytes)],
    });
    load(spec, { engine, programs: ["fields"] }).close();
    expect(engine.loaded[0]!.instructions).toEqual(spec.programs.get("fields")!.instructions);
  });

  it("hands the engine the externs of the programs that have some", () => {
    const spec = object("extern");
    const engine = new DiaryEngine();
    const programs = ["kconfig", "functions"];
    const variables = { CONFIG_BPF: true, CONFIG_BPF_SYSCALL: "TRI_NO", CONFIG_NET: 1, LINUX_KERNEL_VERSION: 1 };
    const more = { CONFIG_CC_VERSION_TEXT: "", CONFIG_HZ: 1n };
    load(spec, { engine, programs, variables: { ...variables, ...more } }).close();
    expect(engine.loaded[0]?.externs).toBeUndefined();
    expect(engine.loaded[1]?.externs).toEqual({ symbols: spec.externs, btf: spec.btf });
    expect(() => load(spec, { engine, programs, variables })).toThrow(
      '"CONFIG_CC_VERSION_TEXT" (__kconfig): engine "diary"',
    );
    expect(engine.open.size).toBe(0);
  });

  it("says so when a program needs kernel types that the engine lacks", () => {
    const engine = new DiaryEngine();
    expect(() => load(object("core"), { engine })).toThrow(
      'program "fields" reads kernel types through CO-RE, and engine "diary" has no types of this kernel',
    );
    expect(engine.open.size).toBe(0);
  });

  it("leaves CO-RE alone for an engine without kernel types, and takes either byte order for a recording", () => {
    const engine = new DiaryEngine(undefined, { kernelTypes: false, recording: true });
    const spec = object("core");
    load(spec, { engine }).close();
    expect(engine.loaded[0]!.instructions).toBe(spec.programs.get("fields")!.instructions);
    load(object("big-endian"), { engine }).close();
    expect(() => load(object("big-endian"), { engine: new DiaryEngine() })).toThrow("the object is big-endian");
  });

  it("asks for the type of a program whose section does not tell", () => {
    const spec = object("minimal");
    spec.programs.get("on_exit")!.type = 0;
    expect(() => load(spec, { engine: new DiaryEngine(), programs: ["on_exit"] })).toThrow(/names no program type/);
  });
});

describe("Collection", () => {
  it("attaches programs to what their sections name", () => {
    const engine = new DiaryEngine();
    using collection = load(object("maps"), { engine });
    const [link] = collection.attach();
    expect(link?.target).toEqual({ tracepoint: "sched:sched_process_exec" });
    expect(collection.links).toEqual([link]);
    // What is attached already is left alone.
    expect(collection.attach()).toEqual([]);
    link?.close();
    link?.close();
    expect(collection.links).toEqual([]);
    expect(engine.diary.filter((entry) => entry === "- link record").length).toBe(1);
    const other = collection.program("record").attach({ tracepoint: "sched:sched_process_exit" });
    expect(other.target).toEqual({ tracepoint: "sched:sched_process_exit" });
  });

  it("needs a target where the section names none, and then attaches nothing", () => {
    const engine = new DiaryEngine();
    using collection = load(object("subprograms"), { engine });
    expect(() => collection.attach()).toThrow('program "plain": its section "xdp" does not say where to attach it');
    expect(collection.links).toEqual([]);
    expect([...engine.open].some((name) => name.startsWith("link"))).toBe(false);
  });

  it("closes links, programs and maps in this order, once, even when a close fails", () => {
    const engine = new DiaryEngine();
    const collection = load(object("maps"), { engine });
    collection.attach();
    engine.diary.length = 0;
    engine.failing = "close program record";
    expect(() => collection.close()).toThrow("cannot close program record");
    expect(engine.open.size).toBe(0);
    expect(engine.diary.slice(0, 2)).toEqual(["- link record", "- program record"]);
    expect(engine.diary.slice(2).every((entry) => entry.startsWith("- map"))).toBe(true);
    const { length } = engine.diary;
    collection.close();
    expect(engine.diary.length).toBe(length);
    expect(() => collection.map("counts")).toThrow(ClosedError);
  });

  it("lists what there is when a name is unknown", () => {
    using collection = load(object("variables"), { engine: new DiaryEngine() });
    expect(() => collection.map("nothing")).toThrow('no map "nothing"; there are .rodata, .data, .data.settings, .bss');
    expect(() => collection.program("nothing")).toThrow('no program "nothing"; there is on_exec');
    expect(() => collection.variable("nothing")).toThrow('no variable "nothing"');
  });
});
