// SPDX-License-Identifier: Apache-2.0

import { KernelEngine } from "../../src/kernel-engine.ts";
import { ModuleDescriptors } from "../../src/resolve-externs.ts";
import { loadObject, objectSpec } from "../load-object.ts";
import { type MakeSpecimens, refusesClosed, unless } from "./specimen.ts";

const rawTracepoint = { rawTracepoint: "sched_process_exec" };

/** An engine and what it loads. */
export const collectionKinds: Readonly<Record<string, MakeSpecimens>> = {
  "the kernel engine": (scope) => {
    const { collection, program, kernelMap } = scope.use(loadObject("maps"));
    const { spec } = kernelMap("hash");
    const loadable = { spec: program("count_here").spec, instructions: new Uint8Array(16), maps: new Map() };
    return [
      {
        name: "engine",
        object: new KernelEngine(),
        uses: {
          loadTypes: [collection.spec.btf],
          createMap: [spec, undefined, undefined],
          loadProgram: [{ ...loadable, types: undefined }],
          attach: [program("count_here"), rawTracepoint],
          attachStructOps: [kernelMap("hash")],
        },
      },
    ];
  },

  "a collection": (scope) => {
    const collection = scope.use(loadObject("maps-special")).collection;
    return [
      {
        name: "collection",
        object: collection,
        tells: ["maps", "programs", "links"],
        uses: {
          map: ["queue"],
          release: ["queue"],
          program: ["count"],
          structOps: ["count"],
          variable: ["wide"],
        },
      },
    ];
  },

  "a loaded program and its variables": (scope) => {
    const object = scope.use(loadObject("maps-special"));
    const { collection } = object;
    const [wide, pair, constant] = ["wide", "pair", "constant"].map((name) => collection.variable(name));
    if (wide === undefined || pair === undefined || constant === undefined) throw new Error("no variables");
    wide.set(5n);
    constant.get();
    const close = (): void => collection.close();
    return [
      {
        name: "loaded program",
        object: collection.program("count"),
        close,
        tells: ["name", "verifierLog", "links"],
        uses: { attach: [rawTracepoint], run: [{ data: new Uint8Array(64) }] },
      },
      { name: "variable that was used", object: wide, close, uses: { set: [6n] } },
      { name: "variable that was not", object: pair, close, uses: { set: [{ count: 1n, size: 2 }] } },
    ];
  },

  "a kernel program": (scope) => {
    const { program, kernelMap } = scope.use(loadObject("maps-special"));
    const count = program("count");
    const info = count.info();
    return [
      {
        name: "program",
        object: count,
        tells: ["closed"],
        uses: {
          pin: ["/sys/fs/bpf/skep-closed"],
          bindMap: [kernelMap("queue")],
          run: [{ data: new Uint8Array(64) }],
        },
        after: () => unless({ "what it told before is still there": info.name === "count" && count.name === "count" }),
      },
    ];
  },

  "an object's types": (scope) => {
    const engine = scope.use(new KernelEngine());
    const { btf, maps } = objectSpec("maps");
    const hash = maps.get("hash");
    if (btf === undefined || hash === undefined) throw new Error("no types");
    const types = engine.loadTypes(btf);
    return [
      {
        name: "types",
        object: types,
        after: () => unless({ "no map is made with them": refusesClosed(() => engine.createMap(hash, types, btf)) }),
      },
      {
        name: "types of modules",
        object: new ModuleDescriptors(),
        uses: { indexOf: ["nf_conntrack"], descriptorOf: ["nf_conntrack"] },
      },
    ];
  },

  "what is given to another object": (scope) => {
    const { collection, kernelMap, program } = scope.use(loadObject("maps-special"));
    const probes = scope.use(loadObject("links-probes", { programs: ["list_tasks", "list_own_tasks"] }));
    const { link } = probes.collection.program("list_tasks").attach({ iterator: {} });
    const engine = scope.use(new KernelEngine());
    const [inner, jumps, count, jump] = [kernelMap("first"), kernelMap("jumps"), program("count"), program("jump")];
    return [
      {
        name: "map",
        object: inner,
        tells: ["closed"],
        after: () =>
          unless({
            "a map of maps does not take it": refusesClosed(() => kernelMap("outer").update(5, inner)),
            "a program is not bound to it": refusesClosed(() => count.bindMap(inner)),
            "an iterator does not walk it": refusesClosed(() =>
              probes.collection.program("list_tasks").attach({ iterator: { map: inner } }),
            ),
          }),
      },
      {
        name: "program",
        object: count,
        tells: ["closed"],
        after: () =>
          unless({
            "it is not attached": refusesClosed(() => engine.attach(count, rawTracepoint)),
            "an array of programs does not take it": refusesClosed(() => jumps.update(3, count)),
          }),
      },
      {
        name: "program of an iterator",
        object: probes.program("list_own_tasks"),
        tells: ["closed"],
        after: () =>
          unless({ "a link does not take it": refusesClosed(() => link.update(probes.program("list_own_tasks"))) }),
      },
      {
        name: "map that a program refers to",
        object: jumps,
        tells: ["closed"],
        after: () =>
          unless({
            "the program is not loaded": refusesClosed(() =>
              engine.loadProgram({
                ...jump,
                instructions: jump.spec.instructions,
                maps: collection.maps,
                types: undefined,
              }),
            ),
          }),
      },
    ];
  },
};
