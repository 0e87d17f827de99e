// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MalformedError } from "../errors.ts";
import { MapType } from "../map-type.ts";
import type { RecordBatch } from "../record-batch.ts";
import { identifyObject, type RecordingHeader } from "./format.ts";
import { readRecording } from "./read-recording.ts";
import { RecordingWriter } from "./recording-writer.ts";

const header: RecordingHeader = {
  version: 1,
  created: "2026-01-02T03:04:05.000Z",
  node: "büro",
  kernel: "6.18.0",
  cpus: 2,
  clockOffset: 1_700_000_000_000_000_123n,
  objects: [{ name: "exec.bpf.o", size: 3, fnv1a: 0x1a47e90b }],
};

const stream = { name: "execs", type: MapType.RINGBUF, keySize: 0, valueSize: 0 };
const ledger = { name: "execs_ledger", type: MapType.PERCPU_ARRAY, keySize: 4, valueSize: 32 };

function batchOf(records: readonly Uint8Array[], lost = 0): RecordBatch {
  const offsets: number[] = [];
  let end = 0;
  for (const record of records) {
    offsets.push(end);
    end += Math.ceil(record.length / 8) * 8;
  }
  const bytes = new Uint8Array(end);
  for (const [index, record] of records.entries()) bytes.set(record, offsets[index]);
  const lengths = Uint32Array.from(records, (record) => record.length);
  return { count: records.length, bytes, offsets: Uint32Array.from(offsets), lengths, lost };
}

/** A recording and where each of its chunks ends. */
function sample(): { file: Uint8Array; ends: number[] } {
  const chunks: Uint8Array[] = [];
  const writer = new RecordingWriter(header, (chunk) => chunks.push(chunk));
  const execs = writer.declareMap(stream);
  const counters = writer.declareMap(ledger);
  writer.writeRecords(execs, 1000n, batchOf([Uint8Array.of(1, 2, 3), new Uint8Array(8).fill(7)], 5), 2);
  writer.writeSnapshot(counters, 1500n, new Uint8Array(4), new Uint8Array(64).fill(1));
  writer.writeRecords(execs, 2000n, batchOf([new Uint8Array(0)]), 0);
  writer.end(3000n);
  const ends: number[] = [];
  for (const chunk of chunks) ends.push((ends.at(-1) ?? 0) + chunk.length);
  return { file: Uint8Array.from(chunks.flatMap((chunk) => [...chunk])), ends };
}

function refusal(file: Uint8Array): string {
  try {
    readRecording(file);
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedError);
    return (error as Error).message;
  }
  throw new Error("not refused");
}

describe("the recording format", () => {
  it("gives back what was written", () => {
    const { file } = sample();
    const recording = readRecording(file);
    expect(recording.header).toEqual(header);
    expect(recording.complete).toBe(true);
    const [execs, counters] = recording.maps;
    expect(execs).toMatchObject(stream);
    const records = execs?.batches.map(({ offsets, lengths }) =>
      Array.from(offsets, (offset, i) => [...recording.bytes.subarray(offset, offset + (lengths[i] ?? 0))]),
    );
    expect(records).toEqual([
      [
        [1, 2, 3],
        [7, 7, 7, 7, 7, 7, 7, 7],
      ],
      [[]],
    ]);
    expect(execs?.batches.map(({ clock, lost, discarded }) => [clock, lost, discarded])).toEqual([
      [1000n, 5, 2],
      [2000n, 0, 0],
    ]);
    expect(execs?.batches.every(({ offsets }) => offsets.every((offset) => offset % 8 === 0))).toBe(true);
    expect(counters?.snapshots).toEqual([{ clock: 1500n, key: new Uint8Array(4), value: new Uint8Array(64).fill(1) }]);
  });

  it("reads files that begin at any byte of their buffer", () => {
    const { file } = sample();
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    const recording = readRecording(shifted.subarray(3));
    expect(recording.bytes.byteOffset % 8).toBe(0);
    expect(recording.maps).toHaveLength(2);
  });

  it("gives the complete frames of a recording that was cut anywhere", () => {
    const { file, ends } = sample();
    const whole = readRecording(file);
    for (let length = ends[0] ?? 0; length < file.length; length++) {
      const cut = readRecording(file.slice(0, length));
      expect(cut.complete).toBe(false);
      const frames = ends.filter((end) => end <= length).length - 1;
      expect(cut.maps.length).toBe(Math.min(2, frames));
      const batches = cut.maps[0]?.batches ?? [];
      expect(batches.length).toBe(frames >= 5 ? 2 : frames >= 3 ? 1 : 0);
      expect(batches).toEqual(whole.maps[0]?.batches.slice(0, batches.length) ?? []);
    }
    for (let length = 0; length < (ends[0] ?? 0); length++) refusal(file.slice(0, length));
  });

  it("names the frame and the byte of what is wrong", () => {
    const { file, ends } = sample();
    const [maps, , records, , , last] = ends as [number, number, number, number, number, number];
    const changed = (change: (view: DataView, bytes: Uint8Array) => void): string => {
      const bytes = file.slice();
      change(new DataView(bytes.buffer), bytes);
      return refusal(bytes);
    };
    const batch = ends[2] ?? 0;
    const start = ends[1] === undefined ? 0 : ends[1];
    expect(changed((view) => view.setUint8(0, 0x41))).toContain(
      "recording header at byte 0: a recording begins with SKEPREC1",
    );
    expect(changed((view) => view.setUint32(8, 1e9, true))).toContain("the header is 1000000000 bytes");
    expect(changed((_, bytes) => bytes.fill(0x20, 16, 20))).toContain("is no JSON");
    expect(changed((view) => view.setUint8(maps, 9))).toBe(`recording, frame 0 at byte ${maps}: type 9 is unknown`);
    expect(changed((view) => view.setUint16(maps + 2, 1, true))).toContain("declares map 1, the next one is 0");
    expect(changed((view) => view.setUint32(maps + 20, 1000, true))).toContain("a name of 1000 bytes does not fill");
    expect(changed((view) => view.setUint32(maps + 4, 13, true))).toContain("is 13 bytes long, not a multiple of 8");
    expect(changed((view) => view.setUint16(records + 2, 7, true))).toContain("is about map 7, 2 are declared");
    expect(changed((view) => view.setUint32(records + 16, 0xffff_ffff, true))).toContain(
      "4294967295 records are not in",
    );
    expect(changed((view) => view.setUint32(records + 32, 4000, true))).toContain(
      "record 0 is 4000 bytes, the frame ends",
    );
    expect(changed((view) => view.setUint32(records + 16, 1, true))).toContain("bytes follow the last record");
    expect(changed((view) => view.setBigUint64(batch + 8, 1n << 63n, true))).toBeTruthy();
    expect(start).toBeLessThan(last);
    expect(refusal(Uint8Array.from([...file, ...new Uint8Array(8)]))).toContain("follows the end frame");
  });

  it("refuses a clock that goes back", () => {
    const chunks: Uint8Array[] = [];
    const writer = new RecordingWriter(header, (chunk) => chunks.push(chunk));
    writer.writeRecords(writer.declareMap(stream), 5n, batchOf([]), 0);
    writer.end(4n);
    expect(refusal(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])))).toContain("clock 4 lies before 5");
  });

  it("checks every field of the header", () => {
    const broken = (change: object): string => {
      const chunks: Uint8Array[] = [];
      new RecordingWriter({ ...header, ...change }, (chunk) => chunks.push(chunk));
      return refusal(chunks[0] ?? new Uint8Array());
    };
    expect(broken({ version: 2 })).toContain("version 2: only version 1 is known");
    expect(broken({ cpus: 0 })).toContain("cpus is not an integer from 1 to 8192");
    expect(broken({ node: 7 })).toContain("node is not a string");
    expect(broken({ clockOffset: "1e9" })).toContain("clockOffset is not a decimal number");
    expect(broken({ objects: [{ name: "x", size: -1, fnv1a: 0 }] })).toContain("objects[0].size is not an integer");
    expect(broken({ objects: {} })).toContain("objects is not a list");
  });

  it("answers any bytes with a recording or a MalformedError", () => {
    const { file, ends } = sample();
    const change = fc.record({ at: fc.integer({ min: ends[0] ?? 0, max: file.length - 1 }), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = file.slice();
        for (const { at, value } of changes) bytes[at] = value;
        try {
          for (const map of readRecording(bytes).maps) {
            for (const { offsets, lengths, count } of map.batches) {
              for (let i = 0; i < count; i++)
                expect((offsets[i] ?? 0) + (lengths[i] ?? 0)).toBeLessThanOrEqual(bytes.length);
            }
          }
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("identifies objects by FNV-1a", () => {
    // The vector of RFC 9923 for "foobar", 32 bits.
    const object = identifyObject("x.o", new TextEncoder().encode("foobar"));
    expect(object).toEqual({ name: "x.o", size: 6, fnv1a: 0xbf9cf968 });
  });
});
