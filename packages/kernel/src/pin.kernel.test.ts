// SPDX-License-Identifier: Apache-2.0

import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { type BpfMap, type CollectionSpec, load, type ProgramSpec, VerifierError } from "@skep/ebpf";
import { detachedMount, type FileDescriptor } from "@skep/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kernelDescriptors, loadObject, objectSpec } from "../test-objects/load-object.ts";
import { KernelEngine } from "./kernel-engine.ts";
import type { KernelMap } from "./kernel-map.ts";
import { mapIds, openMap, openPinnedMap } from "./open-map.ts";
import { listPins } from "./open-pin.ts";
import { openPinnedProgram, programIds } from "./open-program.ts";
import { unpin } from "./pin.ts";

interface Sample {
  count: bigint;
  size: number;
}

/** A BPF file system that is in no directory: it ends with its descriptor, and all pins with it. */
let mount: FileDescriptor;
let directory: string;
beforeEach(() => {
  mount = detachedMount("bpf");
  directory = `/proc/self/fd/${mount.number}`;
});
afterEach(() => mount.close());

/** The object with one map to be pinned by its name. */
function pinnedByName(change: (spec: CollectionSpec) => void = () => undefined): CollectionSpec {
  const spec = objectSpec("maps-special");
  const shared = spec.maps.get("shared");
  if (shared === undefined) throw new Error("no map");
  shared.pinning = "by-name";
  change(spec);
  return spec;
}

describe("a pinned map", () => {
  it("outlives those who held it, with its types", () => {
    const path = `${directory}/shared`;
    {
      using object = loadObject("maps-special");
      const map = object.kernelMap<number, Sample>("shared");
      map.update(3, { count: 5n, size: 6 });
      map.pin(path);
      expect(() => map.pin(path)).toThrow(`map "shared", pin ${path}: bpf(BPF_OBJ_PIN) failed: EEXIST`);
    }
    {
      using map = openPinnedMap<number, Sample>(path);
      expect(map.spec).toMatchObject({ name: "shared", maxEntries: 1000, valueSize: 16 });
      expect(map.lookup(3)).toEqual({ count: 5n, size: 6 });
    }
    expect(unpin(path)).toBe(true);
    expect(unpin(path)).toBe(false);
    expect(() => openPinnedMap(path)).toThrow("ENOENT");
  });

  it("is opened for reading or for writing alone", () => {
    using object = loadObject("maps-special");
    object.kernelMap("shared").pin(`${directory}/shared`);
    using reader = openPinnedMap<number, Sample>(`${directory}/shared`, { access: "read-only" });
    using writer = openPinnedMap<number, Sample>(`${directory}/shared`, { access: "write-only" });
    writer.update(1, { count: 1n, size: 2 });
    expect(reader.lookup(1)).toEqual({ count: 1n, size: 2 });
    expect(() => reader.update(1, { count: 1n, size: 2 })).toThrow("EPERM");
    expect(() => writer.lookup(1)).toThrow("EPERM");
    // The kernel wants a mapping to be shared, and a shared one to be of a descriptor that may write.
    expect(() => reader.memory()).toThrow('map "shared": mmap failed: EINVAL');
  });
});

describe("a pinned program", () => {
  it("outlives those who held it, and runs", () => {
    {
      using object = loadObject("maps-special", { programs: ["count"], variables: { narrow: 40 } });
      object.program("count").pin(`${directory}/count`);
    }
    using program = openPinnedProgram(`${directory}/count`);
    expect(program.name).toBe("count");
    expect(program.run({ data: new Uint8Array(64) }).returned).toBe(41);
    expect(() => openPinnedMap(`${directory}/count`)).toThrow(
      `${directory}/count is the pin of a program, a map is wanted`,
    );
  });
});

describe("the pins below a directory", () => {
  it("are listed with what they hold, and no descriptor stays", () => {
    using object = loadObject("maps-special");
    mkdirSync(`${directory}/app`);
    object.kernelMap("queue").pin(`${directory}/app/queue`);
    object.program("jump").pin(`${directory}/jump`);
    const before = kernelDescriptors();
    expect(listPins(directory)).toEqual([
      { path: `${directory}/app/queue`, kind: "map" },
      { path: `${directory}/jump`, kind: "program" },
    ]);
    expect(kernelDescriptors()).toEqual(before);
  });
});

describe("pinning by name", () => {
  const options = () => ({ engine: new KernelEngine(), programs: ["count"], pinDirectory: `${directory}/` });

  it("makes the map the first time and uses it from then on", () => {
    {
      using first = load(pinnedByName(), options());
      expect(readdirSync(directory)).toContain("shared");
      first.map<number, Sample>("shared").update(999, { count: 10n, size: 0 });
    }
    using second = load(pinnedByName(), options());
    second.program("count").run({ data: new Uint8Array(64) });
    expect(second.map<number, Sample>("shared").lookup(999)?.count).toBe(11n);
    using pinned = openPinnedMap(`${directory}/shared`);
    expect(pinned.info().id).toBe((second.map("shared") as KernelMap).info().id);
  });

  it("names every difference of a map that is pinned there already, and leaves no descriptor", () => {
    using _first = load(pinnedByName(), options());
    const before = kernelDescriptors();
    const other = pinnedByName((spec) => {
      const shared = spec.maps.get("shared");
      if (shared !== undefined) Object.assign(shared, { maxEntries: 5, valueSize: 24, valueTypeId: 0 });
    });
    expect(() => load(other, options())).toThrow(
      "the map pinned at " +
        `${directory}/shared is another: value size is 16, wanted 24; max_entries is 1000, wanted 5`,
    );
    expect(kernelDescriptors()).toEqual(before);
  });

  it("is refused where no directory is given", () => {
    const { pinDirectory: _, ...rest } = options();
    expect(() => load(pinnedByName(), rest)).toThrow(
      'map "shared" is to be pinned by its name, and no directory is given: set pinDirectory, or its pinning to "none"',
    );
  });

  it("takes back the pins of a load that fails later, and none that was there before", () => {
    const failing = (): CollectionSpec => {
      const spec = pinnedByName();
      const program = spec.programs.get("count") as ProgramSpec;
      // Falls off its end, which the verifier refuses.
      const broken = { ...program, instructions: program.instructions.slice(0, -8), functionInfo: [], lineInfo: [] };
      return { ...spec, programs: new Map([["count", broken]]) };
    };
    expect(() => load(failing(), options())).toThrow(VerifierError);
    expect(existsSync(`${directory}/shared`)).toBe(false);
    using _first = load(pinnedByName(), options());
    expect(() => load(failing(), options())).toThrow(VerifierError);
    expect(existsSync(`${directory}/shared`)).toBe(true);
  });

  it("leaves no pin behind when the map cannot be made", () => {
    const broken = pinnedByName((spec) => {
      const shared = spec.maps.get("shared");
      if (shared !== undefined) shared.maxEntries = 0;
    });
    expect(() => load(broken, options())).toThrow("max_entries is 0");
    expect(existsSync(`${directory}/shared`)).toBe(false);
  });
});

describe("ids", () => {
  it("list every map and program, and lead to them", () => {
    using object = loadObject("maps-special");
    const map = object.kernelMap<number, Sample>("shared");
    map.update(7, { count: 8n, size: 9 });
    const { id, memory } = map.info();
    expect(memory).toBeGreaterThan(16_000);
    expect([...mapIds()]).toContain(id);
    expect([...programIds()]).toContain(object.program("count").info().id);
    using again: BpfMap<number, Sample> = openMap<number, Sample>(id);
    expect(again.lookup(7)).toEqual({ count: 8n, size: 9 });
    expect(() => openMap(0x7fff_ffff)).toThrow("map 2147483647: bpf(BPF_MAP_GET_FD_BY_ID) failed: ENOENT");
  });
});
