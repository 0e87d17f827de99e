// SPDX-License-Identifier: Apache-2.0

import { ClosedError, codecFor, copyRecord, InvalidValueError } from "@skep/ebpf";
import { equal, ok, throwsA } from "../assert.ts";
import { readU32, readU64 } from "../bytes.ts";
import { type CaseContext, udpFrame } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

const RECORD_SIZE = 64;
const sequenceOf = (record: Uint8Array): number => Number(readU64(record, 0));
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

function records(context: CaseContext, ...programs: string[]) {
  const collection = context.load("suite-records", { programs });
  const run = (program: string, times = 1) =>
    context.produce(() => {
      for (let i = 0; i < times; i++) context.run(collection, program);
    });
  return { collection, run };
}

/** Ring buffers and perf event arrays. */
export const recordCases: readonly EngineCase[] = [
  {
    name: "ring buffer: records come in the order in which they were submitted",
    run(context) {
      const { collection, run } = records(context, "reserve");
      const reader = context.use(collection.map("ring").records());
      run("reserve", 20);
      const found = context.drain(reader);
      equal(found.map(sequenceOf), numbers(0, 20));
      equal(found[19]?.length, RECORD_SIZE);
      equal(readU32(found[19] ?? new Uint8Array(64), 8 + 13 * 4), 1913);
      equal(reader.counters, { read: 20, discarded: 0, lost: 0 });
    },
  },
  {
    name: "ring buffer: nothing to read is undefined",
    run(context) {
      const { collection } = records(context, "reserve");
      const reader = context.use(collection.map("ring").records());
      equal(reader.poll(), undefined);
      equal(reader.counters, { read: 0, discarded: 0, lost: 0 });
    },
  },
  {
    name: "ring buffer: records have the type that the object says",
    run(context) {
      const { collection, run } = records(context, "reserve");
      const map = collection.map("ring");
      const reader = context.use(map.records());
      run("reserve", 2);
      const { btf } = collection.spec;
      ok(btf !== undefined && map.spec.valueTypeId !== 0, "the ring has no type");
      const batch = reader.poll();
      ok(batch !== undefined, "there is no batch");
      const codec = codecFor(btf, map.spec.valueTypeId);
      const record = copyRecord(batch, 1);
      equal(codec.decode(record, 0), { sequence: 1n, words: numbers(100, 114) });
    },
  },
  {
    name: "ring buffer: what is discarded is counted and not read",
    run(context) {
      const collection = context.load("suite-records", { programs: ["reserve"], variables: { discard_every: 3 } });
      const reader = context.use(collection.map("ring").records());
      context.produce(() => {
        for (let i = 0; i < 9; i++) context.run(collection, "reserve");
      });
      equal(context.drain(reader).map(sequenceOf), [0, 1, 3, 4, 6, 7]);
      equal(reader.counters, { read: 6, discarded: 3, lost: 0 });
    },
  },
  {
    name: "ring buffer: records have any length",
    run(context) {
      const { collection, run } = records(context, "output");
      const reader = context.use(collection.map("ring").records());
      run("output", 40);
      const found = context.drain(reader);
      equal(
        found.map(({ length }) => length),
        numbers(1, 41),
      );
      ok(
        found.every((record) => record.every((byte) => byte === record.length)),
        "a record has bytes of another",
      );
    },
  },
  {
    name: "ring buffer: a full one refuses, and takes records again once it is read",
    needs: ["reader"],
    run(context) {
      const { collection, run } = records(context, "reserve");
      const reader = context.use(collection.map("ring").records());
      run("reserve", 60);
      // 4096 bytes, a header of 8 for each; one record of room is never filled.
      const first = context.drain(reader);
      equal(first.map(sequenceOf), numbers(0, 56));
      equal(collection.variable("failed").get(), 4n);
      run("reserve", 3);
      const all = [...first, ...context.drain(reader)].map(sequenceOf);
      equal(all.slice(56), [56, 57, 58]);
    },
  },
  {
    name: "ring buffer: it goes round many times and loses nothing",
    needs: ["reader"],
    run(context) {
      const { collection, run } = records(context, "reserve", "output");
      const reader = context.use(collection.map("ring").records());
      let read = 0;
      for (let round = 0; round < 20; round++) {
        run("reserve", 13);
        run("output", 7);
        read += context.drain(reader).length;
      }
      equal(read, 400);
      equal(collection.variable("produced").get(), 400n);
    },
  },
  {
    name: "ring buffer: a batch has at most as many records as are wanted",
    run(context) {
      const { collection, run } = records(context, "reserve");
      const reader = context.use(collection.map("ring").records({ maxRecords: 4 }));
      run("reserve", 10);
      const counts: number[] = [];
      for (let batch = reader.poll(); batch !== undefined; batch = reader.poll()) counts.push(batch.count);
      equal(counts, [4, 4, 2]);
    },
  },
  {
    name: "ring buffer: a program asks how full it is",
    run(context) {
      const { collection } = records(context, "query", "reserve");
      const query = (bits: bigint): bigint => {
        collection.variable("bits").set(bits);
        context.run(collection, "query");
        return collection.variable<bigint>("result").get();
      };
      equal([query(0n), query(1n)], [0n, 4096n]);
      context.run(collection, "reserve");
      context.run(collection, "reserve");
      equal([query(0n), query(2n), query(3n)], [144n, 0n, 144n]);
      const reader = context.use(collection.map("ring").records());
      context.drain(reader);
      equal([query(0n), query(2n), query(3n)], [0n, 144n, 144n]);
      equal(query(9n), 0n);
    },
  },
  {
    name: "ring buffer: iterating waits for records, and ends with its signal",
    async run(context) {
      const { collection, run } = records(context, "reserve");
      const abort = new AbortController();
      const reader = context.use(collection.map("ring").records({ signal: abort.signal }));
      const found: number[] = [];
      run("reserve", 3);
      for await (const batch of reader) {
        for (let i = 0; i < batch.count; i++) found.push(sequenceOf(copyRecord(batch, i)));
        if (found.length === 3) setTimeout(() => run("reserve", 2), 1);
        if (found.length === 5) setTimeout(() => abort.abort(), 1);
      }
      equal(found, [0, 1, 2, 3, 4]);
    },
  },
  {
    name: "ring buffer: leaving an iteration does not close the reader",
    async run(context) {
      const { collection, run } = records(context, "reserve");
      const reader = context.use(collection.map("ring").records({ maxRecords: 2 }));
      run("reserve", 4);
      const found: number[] = [];
      for await (const batch of reader) {
        for (let i = 0; i < batch.count; i++) found.push(sequenceOf(copyRecord(batch, i)));
        break;
      }
      found.push(...context.drain(reader).map(sequenceOf));
      equal(found, [0, 1, 2, 3]);
    },
  },
  {
    name: "ring buffer: one reader at a time, and another after it goes on",
    needs: ["reader"],
    run(context) {
      const { collection, run } = records(context, "reserve");
      const map = collection.map("ring");
      const reader = map.records();
      throwsA(InvalidValueError, () => map.records());
      run("reserve", 3);
      equal(context.drain(reader).map(sequenceOf), [0, 1, 2]);
      reader.close();
      reader.close();
      throwsA(ClosedError, () => reader.poll());
      run("reserve", 2);
      equal(context.drain(context.use(map.records())).map(sequenceOf), [3, 4]);
    },
  },
  {
    name: "ring buffer: it has no entries",
    run(context) {
      const { collection } = records(context, "reserve");
      const map = collection.map("ring");
      ok(
        throwsAny(() => map.lookupRaw(new Uint8Array(0), new Uint8Array(0))),
        "a lookup returned",
      );
      ok(
        throwsAny(() => map.updateRaw(new Uint8Array(0), new Uint8Array(0))),
        "an update returned",
      );
      throwsA(InvalidValueError, () => map.push(new Uint8Array(0)));
      throwsA(InvalidValueError, () => map.has(new Uint8Array(0)));
    },
  },
  {
    name: "ring buffer: counters beside it count what was submitted",
    run(context) {
      const { collection, run } = records(context, "reserve");
      const reader = context.use(collection.map("ring").records());
      run("reserve", 7);
      equal(context.drain(reader).length, 7);
      equal(collection.map("counts_ledger").lookup(0), [7n, 0n]);
    },
  },
  {
    name: "perf event array: records come with what a program wrote",
    run(context) {
      const { collection, run } = records(context, "output_perf");
      const reader = context.use(collection.map("perf").records());
      run("output_perf", 5);
      // The kernel sorts by the time of the record when it ran on several CPUs.
      const found = context.drain(reader);
      equal(found.map(sequenceOf).sort(), [0, 1, 2, 3, 4]);
      const record = found.find((each) => sequenceOf(each) === 4);
      ok(record !== undefined && record.length >= RECORD_SIZE, `a record has ${record?.length} bytes`);
      equal(readU32(record, 8 + 13 * 4), 413);
      equal(reader.counters.read, 5);
    },
  },
  {
    name: "perf event array: a record has a part of the packet when the program asks for it",
    run(context) {
      const { collection, run } = records(context, "output_packet");
      const reader = context.use(collection.map("perf").records());
      run("output_packet");
      const [record = new Uint8Array(0)] = context.drain(reader);
      equal(record.subarray(8, 28), udpFrame().subarray(0, 20));
    },
  },
  {
    name: "perf event array: a program is told when nobody reads",
    run(context) {
      const { collection } = records(context, "output_perf");
      context.run(collection, "output_perf");
      equal(collection.variable("result").get(), -2n);
      equal(collection.variable("produced").get(), 0n);
    },
  },
];

function throwsAny(call: () => unknown): boolean {
  try {
    call();
  } catch (error) {
    return error instanceof Error;
  }
  return false;
}
