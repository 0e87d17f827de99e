// SPDX-License-Identifier: Apache-2.0

import {
  type BpfMap,
  ClosedError,
  type CollectionSpec,
  type Engine,
  InvalidValueError,
  load,
  type MapSpec,
  NotFoundError,
  type Program,
} from "@skep/ebpf";
import { equal, ok, thrownBy, throwsA } from "../assert.ts";
import { type CaseContext, udpFrame } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

/** An engine that hands all to another one and remembers what that made. */
function watched(engine: Engine): { engine: Engine; maps: BpfMap[]; programs: Program[] } {
  const [maps, programs]: [BpfMap[], Program[]] = [[], []];
  const remember = <T>(list: T[], made: T): T => {
    list.push(made);
    return made;
  };
  const watching: Engine = {
    name: engine.name,
    capabilities: engine.capabilities,
    clockOffset: () => engine.clockOffset(),
    kernelTypes: () => engine.kernelTypes(),
    loadTypes: (btf) => engine.loadTypes(btf),
    createMap: (...given) => remember(maps, engine.createMap(...given)),
    loadProgram: (program) => remember(programs, engine.loadProgram(program)),
    attach: (program, target) => engine.attach(program, target),
    attachStructOps: (map) => engine.attachStructOps(map),
    close: () => engine.close(),
    [Symbol.dispose]: () => engine.close(),
  };
  return { engine: watching, maps, programs };
}

/** Fails unless everything that was made is closed again. */
function allClosed({ maps, programs }: { maps: readonly BpfMap[]; programs: readonly Program[] }): void {
  for (const map of maps)
    throwsA(ClosedError, () => map.lookupRaw(new Uint8Array(4), new Uint8Array(8)), map.spec.name);
  for (const program of programs) throwsA(ClosedError, () => program.run?.({ data: udpFrame() }), program.name);
}

/** An object of which one program has an instruction that is none. */
function spoilt(context: CaseContext): CollectionSpec {
  const spec = context.spec("suite-map-programs");
  const broken = spec.programs.get("add_array");
  ok(broken !== undefined, "there is no program add_array");
  const instructions = broken.instructions.slice();
  instructions[0] = 0xff;
  return { ...spec, programs: new Map(spec.programs).set("add_array", { ...broken, instructions }) };
}

/** What lives how long, and what happens when something fails. */
export const lifetimeCases: readonly EngineCase[] = [
  {
    name: "load: a program that is refused leaves nothing behind",
    needs: ["verifier"],
    run(context) {
      const seen = watched(context.engine);
      const error = thrownBy(() =>
        load(spoilt(context), { engine: seen.engine, programs: ["lookup_hash", "add_array", "lookup_array"] }),
      );
      ok(
        error instanceof Error && error.message.includes("add_array"),
        `the error does not name the program: ${error}`,
      );
      ok(seen.maps.length >= 3, `${seen.maps.length} maps were made`);
      equal(
        seen.programs.map(({ name }) => name),
        ["lookup_hash"],
      );
      allClosed(seen);
    },
  },
  {
    name: "load: a map that is refused leaves nothing behind",
    run(context) {
      const spec = context.spec("suite-map-programs");
      (spec.maps.get("array") as MapSpec).keySize = 5;
      const seen = watched(context.engine);
      context.refuses("EINVAL", () => load(spec, { engine: seen.engine }));
      allClosed(seen);
    },
  },
  {
    name: "load: unknown names are refused before anything is made",
    run(context) {
      const seen = watched(context.engine);
      const spec = context.spec("suite-map-programs");
      throwsA(NotFoundError, () => load(spec, { engine: seen.engine, programs: ["nothing"] }));
      throwsA(NotFoundError, () =>
        load(spec, { engine: seen.engine, maps: new Map([["nothing", context.map("array")]]) }),
      );
      equal([seen.maps.length, seen.programs.length], [0, 0]);
    },
  },
  {
    name: "load: of an object only what is wanted is loaded, with the maps that it needs",
    run(context) {
      const collection = context.load("suite-map-programs", { programs: ["lookup_array"] });
      equal([...collection.programs.keys()], ["lookup_array"]);
      equal([...collection.maps.keys()].sort(), [".bss", "array"]);
      throwsA(NotFoundError, () => collection.map("hash"));
      throwsA(NotFoundError, () => collection.program("lookup_hash"));
    },
  },
  {
    name: "load: a whole object has all its maps and programs",
    run(context) {
      const collection = context.load("suite-map-programs");
      equal([...collection.programs.keys()].sort(), [...collection.spec.programs.keys()].sort());
      equal([...collection.maps.keys()].sort(), [...collection.spec.maps.keys()].sort());
    },
  },
  {
    name: "load: a map that is given must be like the object's",
    run(context) {
      const other = context.map("numbers");
      throwsA(InvalidValueError, () =>
        context.load("suite-map-programs", { programs: ["lookup_hash"], maps: new Map([["hash", other]]) }),
      );
      equal(other.lookup(1), undefined);
    },
  },
  {
    name: "collection: closing it closes its programs and maps",
    run(context) {
      const seen = watched(context.engine);
      const collection = load(context.spec("suite-map-programs"), { engine: seen.engine, programs: ["lookup_hash"] });
      const program = collection.program("lookup_hash");
      program.run({ data: udpFrame() });
      collection.close();
      collection.close();
      throwsA(ClosedError, () => collection.map("hash"));
      throwsA(ClosedError, () => collection.program("lookup_hash"));
      throwsA(ClosedError, () => program.run({ data: udpFrame() }));
      allClosed(seen);
    },
  },
  {
    name: "collection: a map that was released lives on",
    run(context) {
      const collection = context.load("suite-map-programs", { programs: ["lookup_hash"] });
      const hash = collection.release("hash") as BpfMap<number, bigint> | undefined;
      ok(hash !== undefined, "the collection does not own its map");
      context.use(hash);
      equal(collection.release("hash"), undefined);
      collection.close();
      hash.update(1, 5n);
      equal(hash.lookup(1), 5n);
    },
  },
  {
    name: "programs: they keep the maps that they use, whoever closes them",
    run(context) {
      const collection = context.load("suite-map-programs", { programs: ["lookup_hash"] });
      const hash = collection.map<number, bigint>("hash");
      hash.update(1, 5n);
      collection.variable("key").set(1);
      hash.close();
      throwsA(ClosedError, () => hash.lookup(1));
      context.run(collection, "lookup_hash");
      equal(collection.variable("found").get(), 5n);
    },
  },
  {
    name: "engine: it makes nothing once it is closed",
    run(context) {
      const { engine } = context;
      const spec = context.spec("suite-map-programs");
      engine.close();
      engine.close();
      throwsA(ClosedError, () => engine.createMap(spec.maps.get("hash") as MapSpec, undefined, undefined));
      throwsA(ClosedError, () => load(spec, { engine }));
    },
  },
  {
    name: "engine: it has a name, a clock and says what it can do",
    run(context) {
      const { engine } = context;
      ok(["kernel", "vm", "recording"].includes(engine.name), `its name is ${engine.name}`);
      equal(engine.capabilities.recording, engine.name === "recording");
      equal(typeof engine.clockOffset(), "bigint");
    },
  },
  {
    name: "maps: what no engine can make is refused",
    needs: ["specs"],
    run(context) {
      const make = (changes: Partial<MapSpec>) => () => {
        const declared = context.spec("suite-maps").maps.get("numbers") as MapSpec;
        context.use(
          context.engine.createMap({ ...declared, keyTypeId: 0, valueTypeId: 0, ...changes }, undefined, undefined),
        );
      };
      make({})();
      context.refuses("EINVAL", make({ maxEntries: 0 }));
      context.refuses("EINVAL", make({ keySize: 0 }));
      context.refuses("EINVAL", make({ valueSize: 0 }));
      context.refuses("EINVAL", make({ flags: 1 << 30 }));
      context.refuses("EINVAL", make({ type: 2, keySize: 8 }));
      context.refuses("EINVAL", make({ type: 11, flags: 0, keySize: 8 }));
      context.refuses("EINVAL", make({ type: 22, keySize: 4 }));
    },
  },
  {
    name: "maps: without types keys and values are bytes",
    run(context) {
      const declared = context.spec("suite-maps").maps.get("numbers") as MapSpec;
      const map = context.use(
        context.engine.createMap({ ...declared, keyTypeId: 0, valueTypeId: 0 }, undefined, undefined),
      );
      map.update(Uint8Array.of(1, 2, 3, 4), new Uint8Array(8).fill(9));
      equal(map.lookup(Uint8Array.of(1, 2, 3, 4)), new Uint8Array(8).fill(9));
      throwsA(InvalidValueError, () => map.update(Uint8Array.of(1, 2, 3), new Uint8Array(8)));
      throwsA(InvalidValueError, () => map.update(1, 2n));
      equal([...map.keys()], [Uint8Array.of(1, 2, 3, 4)]);
    },
  },
];
