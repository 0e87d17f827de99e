// SPDX-License-Identifier: Apache-2.0

import { BatchCursor } from "@skep/ebpf";
import { ArenaMapping } from "../../src/arena-mapping.ts";
import { createKernelMap } from "../../src/create-map.ts";
import { KernelMap } from "../../src/kernel-map.ts";
import { KernelStructOpsMap } from "../../src/struct-ops-map.ts";
import { loadObject, objectSpec } from "../load-object.ts";
import { isDetached, type MakeSpecimens, refusesClosed, type Specimen, unless } from "./specimen.ts";

/** A closed map, whatever its type: the arguments are of the sizes that it had. */
function mapSpecimen(map: KernelMap, after?: Specimen["after"]): Specimen {
  const key = new Uint8Array(map.spec.keySize);
  const value = new Uint8Array(map.rawValueSize);
  const path = "/sys/fs/bpf/skep-closed";
  return {
    name: `map "${map.spec.name}"`,
    object: map,
    tells: ["closed"],
    uses: {
      lookup: [0],
      update: [0, 0],
      lookupAndDelete: [0],
      delete: [0],
      lookupRaw: [key, value],
      lookupAndDeleteRaw: [key, value],
      updateRaw: [key, value],
      deleteRaw: [key],
      lookupBatchRaw: [new BatchCursor(), key, value],
      lookupAndDeleteBatchRaw: [new BatchCursor(), key, value],
      updateBatchRaw: [key, value, 1],
      deleteBatchRaw: [key, 1],
      push: [0n],
      has: [0n],
      pin: [path],
    },
    ...(after !== undefined && { after }),
  };
}

/** Every map of an object, closed while walks over it have begun. */
function everyMap(name: string): MakeSpecimens {
  return (scope) => {
    const { collection } = scope.use(loadObject(name));
    return [...collection.maps.values()].filter((map) => map instanceof KernelMap).map((map) => mapSpecimen(map));
  };
}

/** Maps and their memory. */
export const mapKinds: Readonly<Record<string, MakeSpecimens>> = {
  "maps with keys": everyMap("maps"),
  "maps of other types": everyMap("maps-special"),
  "maps with records": everyMap("records"),

  "a walk over a map": (scope) => {
    const map = scope.use(loadObject("maps-special")).kernelMap("shared");
    const walks = [map.keys(), map.entries()];
    for (const walk of walks) walk.next();
    const untouched = [map.keys(), map.entries(), map.entriesBatch()];
    return [
      mapSpecimen(map, () =>
        unless({
          "a walk that had begun ends": walks.every((walk) => refusesClosed(() => walk.next())),
          "no walk begins": untouched.every((walk) => refusesClosed(() => walk.next())),
        }),
      ),
    ];
  },

  "a map's memory": (scope) => {
    const map = scope.use(loadObject("maps-special")).kernelMap("shared");
    const [memory, other] = [map.memory(), map.memory()];
    const views = [memory.bytes, new DataView(memory.bytes.buffer), new Float64Array(memory.bytes.buffer, 0, 4)];
    memory.set(0, { count: 5n, size: 6 });
    return [
      {
        name: "memory",
        object: memory,
        tells: ["bytes"],
        uses: { get: [0], set: [0, { count: 5n, size: 6 }] },
        after: () =>
          unless({
            "its bytes have gone": memory.bytes.length === 0,
            "views of it are detached": views.every(isDetached),
            "another one stays": (other.get(0) as { size: number }).size === 6,
          }),
      },
      mapSpecimen(map, () => {
        const left = (other.get(0) as { size: number }).size;
        other.close();
        return unless({ "its memory stays": left === 6 });
      }),
    ];
  },

  "an arena": (scope) => {
    const arena = "../../ebpf/test-objects/arena";
    const { collection } = scope.use(loadObject(arena));
    const map = collection.map("arena") as KernelMap;
    const memory = map.memory();
    const view = memory.bytes;
    const counter = collection.variable("counter");
    counter.get();
    const spec = objectSpec(arena).maps.get("arena");
    if (spec === undefined) throw new Error("no arena");
    // The one under the map is nobody's to see.
    const mapping = new ArenaMapping(scope.use(createKernelMap(spec, undefined)), spec);
    return [
      mapSpecimen(map, () => unless({ "its memory stays": view.length > 0 && memory.get(0) !== undefined })),
      {
        name: "memory of an arena",
        object: memory,
        tells: ["bytes"],
        uses: { get: [0], set: [0, view.slice(0, 4096)] },
        after: () => unless({ "its bytes have gone": memory.bytes.length === 0 }),
      },
      { name: "variable in an arena", object: counter, close: () => collection.close(), uses: { set: [1] } },
      { name: "mapping of an arena", object: mapping, uses: { write: [new Uint8Array(8)] } },
    ];
  },

  struct_ops: (scope) => {
    const { collection } = scope.use(loadObject("struct-ops", { structOps: ["linked", "successor"] }));
    const [linked, successor] = [collection.structOps("linked"), collection.structOps("successor")];
    const link = linked.attach();
    const map = successor.map;
    if (!(map instanceof KernelStructOpsMap)) throw new Error("no struct_ops map");
    return [
      mapSpecimen(map, () => unless({ "a link does not take it": refusesClosed(() => link.update(map)) })),
      { name: "link", object: link, tells: ["target"], uses: { update: [linked] } },
      {
        name: "loaded struct_ops",
        object: linked,
        close: () => collection.close(),
        tells: ["name", "links"],
      },
    ];
  },
};
