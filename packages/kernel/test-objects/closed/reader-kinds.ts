// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, RecordLease, type RecordReader, recordOf } from "@skep/ebpf";
import { OverwritablePerfBuffer } from "../../src/overwritable-perf-buffer.ts";
import { type BatchFill, PerfBuffer } from "../../src/perf-buffer.ts";
import { TraceInstance } from "../../src/trace-instance.ts";
import { loadObject } from "../load-object.ts";
import { isDetached, type MakeSpecimens, type Specimen, unless } from "./specimen.ts";

/** A reader that has a batch out and is waited for. `detached`: the batch shows the kernel's memory, not a copy. */
function readerSpecimen(name: string, reader: RecordReader, detached: boolean): Specimen {
  const batch = reader.poll();
  if (batch === undefined || batch.count === 0) throw new Error(`${name} has no batch`);
  const { bytes } = batch;
  const record = recordOf(batch, 0);
  if (record.length === 0) throw new Error(`${name} has an empty record`);
  return {
    name,
    object: reader,
    tells: ["closed"],
    after: () =>
      unless({
        "its batch is empty": batch.count === 0 && batch.lost === 0 && batch.bytes.length === 0,
        "its batch has no record": hasNoRecord(() => recordOf(batch, 0)),
        "what it showed is detached": isDetached(bytes) === detached && (record.length === 0) === detached,
        "what it counted is known": reader.counters.read > 0,
      }),
  };
}

function hasNoRecord(attempt: () => unknown): boolean {
  try {
    attempt();
    return false;
  } catch (error) {
    return error instanceof InvalidValueError;
  }
}

function emptyFill(): BatchFill {
  const words = new Uint32Array(64);
  return { lease: new RecordLease(new Uint8Array(words.buffer), 4), words, maxRecords: 4, count: 0, lost: 0, used: 0 };
}

/** Readers and writers of records. */
export const readerKinds: Readonly<Record<string, MakeSpecimens>> = {
  "trace instances": () => [{ name: "trace instance", object: new TraceInstance() }],

  "a ring reader": (scope) => {
    const object = scope.use(loadObject("records"));
    object.run("fill_ring", 3);
    return [readerSpecimen("ring reader", object.kernelMap("ring").records(), true)];
  },

  "a ring reader that is waited for": (scope) => {
    const object = scope.use(loadObject("records"));
    const reader = object.kernelMap("ring").records();
    const next = reader[Symbol.asyncIterator]().next();
    return [
      {
        name: "ring reader",
        object: reader,
        tells: ["closed"],
        after: async () => unless({ "the wait ends": (await next).done === true }),
      },
    ];
  },

  "a perf reader": (scope) => {
    const object = scope.use(loadObject("records"));
    const reader = object.kernelMap("perf").records();
    object.run("fill_perf", 3);
    return [
      readerSpecimen("perf reader", reader, false),
      {
        name: "perf buffer",
        object: new PerfBuffer(0, 4096, "map", { records: 1 }),
        uses: { readInto: [emptyFill()] },
      },
    ];
  },

  "an overwritable perf reader": (scope) => {
    const object = scope.use(loadObject("records"));
    const reader = object.kernelMap("perf").records({ overwritable: true });
    object.run("fill_perf", 3);
    const buffer = new OverwritablePerfBuffer(0, 4096, "map");
    return [
      readerSpecimen("overwritable perf reader", reader, false),
      { name: "overwritable perf buffer", object: buffer, uses: { readInto: [emptyFill()] } },
    ];
  },

  "a user ring writer": (scope) => {
    const orders = scope.use(loadObject("maps-special")).kernelMap("orders");
    const writer = orders.writer();
    const [open, submitted] = [writer.reserve(16), writer.reserve(16)];
    if (open === undefined || submitted === undefined) throw new Error("no room");
    const { bytes } = open;
    bytes.fill(1);
    submitted.submit();
    const slot = { tells: ["bytes"], close: () => writer.close() };
    return [
      {
        name: "writer",
        object: writer,
        tells: ["closed"],
        uses: { reserve: [8], write: [new Uint8Array(8)] },
        after: () =>
          unless({
            "the memory of a slot is detached": isDetached(bytes),
            "the slot has none": open.bytes.length === 0,
          }),
      },
      { name: "slot that was open", object: open, ...slot },
      { name: "slot that was submitted", object: submitted, ...slot },
    ];
  },
};
