// SPDX-License-Identifier: Apache-2.0

import {
  BatchCursor,
  type BpfMap,
  MapType,
  PlayerEngine,
  RecordingEngine,
  type RecordReader,
  readRecording,
} from "@skep/ebpf";
import { KernelEngine } from "../../src/kernel-engine.ts";
import { objectSpec } from "../load-object.ts";
import type { MakeSpecimens, Specimen } from "./specimen.ts";

const { btf, maps } = objectSpec("records");
const common = { flags: 0, extra: 0n, pinning: "none", keyTypeId: 0, valueTypeId: 0 } as const;
const ring = { ...common, name: "ring", type: MapType.RINGBUF, keySize: 0, valueSize: 0, maxEntries: 4096 };
const ledger = { ...common, name: "ring_ledger", type: MapType.ARRAY, keySize: 4, valueSize: 32, maxEntries: 1 };
const plain = { ...common, name: "plain", type: MapType.HASH, keySize: 4, valueSize: 8, maxEntries: 8 };

function recorder(write: (chunk: Uint8Array) => void): RecordingEngine {
  return new RecordingEngine(new KernelEngine(), { write, node: "here", kernel: "6.18", cpus: 1, objects: [] });
}

function mapSpecimen(map: BpfMap, tells: readonly string[] = [], more: Specimen["uses"] = {}): Specimen {
  const key = new Uint8Array(map.spec.keySize);
  const value = new Uint8Array(map.rawValueSize);
  return {
    name: `map "${map.spec.name}"`,
    object: map,
    tells,
    uses: {
      lookup: [key],
      update: [key, value],
      lookupAndDelete: [key],
      delete: [key],
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
      ...more,
    },
  };
}

function readerSpecimen(name: string, reader: RecordReader, tells: readonly string[]): Specimen {
  return { name, object: reader, tells };
}

const engineUses = {
  loadTypes: [btf],
  createMap: [ring, undefined, undefined],
  loadProgram: [{ spec: { name: "none" }, instructions: new Uint8Array(8), maps: new Map(), types: undefined }],
  attach: [{ name: "none" }, { rawTracepoint: "sched_process_exec" }],
  attachStructOps: [{ spec: maps.get("ring") }],
};

/** What records, and what plays. */
export const recordingKinds: Readonly<Record<string, MakeSpecimens>> = {
  "the recorder of an engine": () => {
    const engine = recorder(() => undefined);
    const recorded = engine.createMap(ring, undefined, undefined);
    return [
      readerSpecimen("recorded reader", recorded.records(), ["counters"]),
      mapSpecimen(recorded, ["spec", "rawValueSize"]),
      { name: "recorder", object: engine, tells: ["name", "capabilities"], uses: engineUses },
    ];
  },

  "the player of a recording": () => {
    const chunks: Uint8Array[] = [];
    {
      using engine = recorder((chunk) => chunks.push(chunk.slice()));
      using _ring = engine.createMap(ring, undefined, undefined);
      using _ledger = engine.createMap(ledger, undefined, undefined);
    }
    const player = new PlayerEngine(readRecording(Buffer.concat(chunks)));
    const stream = player.createMap(ring, undefined, undefined);
    const link = player.attach(
      { name: "none", close: () => undefined, [Symbol.dispose]: () => undefined },
      { netns: "/" },
    );
    return [
      // What the timeline calls, beside what a reader has.
      { ...readerSpecimen("played reader", stream.records(), ["counters", "rewind"]) },
      mapSpecimen(stream),
      mapSpecimen(player.createMap(ledger, undefined, undefined), ["carry"], { carry: [0] }),
      mapSpecimen(player.createMap(plain, undefined, undefined)),
      { name: "played link", object: link },
      { name: "player", object: player, uses: engineUses },
    ];
  },
};
