// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { MalformedCaptureError } from "../errors.ts";
import { CaptureReader } from "./capture-reader.ts";
import { chunksOf } from "./capture-samples.test-kit.ts";
import { writePcap } from "./pcap-writer.ts";
import { writePcapng } from "./pcapng-writer.ts";
import { parseCapture, readCapture } from "./read-capture.ts";

const files = [writePcap, writePcapng].map((write) =>
  write([1, 2, 3].map((size) => ({ bytes: new Uint8Array(size * 10).fill(size), seconds: size }))),
);

test("bytes that were changed give packets or a MalformedCaptureError, however they are cut", () => {
  const edits = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...files), edits, fc.integer({ min: 1, max: 40 }), (file, changes, size) => {
      const bytes = file.slice();
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      expect(outcome(chunksOf(bytes, [size]))).toEqual(outcome([bytes]));
    }),
    { numRuns: 2000 },
  );
});

test("random bytes are refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 60 }), (bytes) => {
      expect(() => [...parseCapture(bytes)]).toThrow(MalformedCaptureError);
    }),
  );
});

/** Packets and the end of a file read in chunks. */
function outcome(chunks: readonly Uint8Array[]): unknown[] {
  const reader = new CaptureReader();
  const seen: unknown[] = [];
  try {
    for (const chunk of chunks) {
      reader.push(chunk);
      for (const packet of reader.packets()) seen.push(packet);
    }
    reader.end();
    seen.push("end");
  } catch (error) {
    if (!(error instanceof MalformedCaptureError)) throw error;
    seen.push(error.message.replace(/of which \d+ bytes/, "of which some bytes"));
  }
  return seen;
}

test("reading can be left and goes on behind the last packet", () => {
  const reader = new CaptureReader();
  reader.push(files[0] ?? new Uint8Array());
  const sizes: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    for (const packet of reader.packets()) {
      sizes.push(packet.bytes.length);
      break;
    }
  }
  expect(sizes).toEqual([10, 20, 30]);
  expect([...reader.packets()]).toEqual([]);
  reader.end();
});

test("packets stay as they were when more comes", () => {
  const reader = new CaptureReader();
  const packets: Uint8Array[] = [];
  for (const chunk of chunksOf(files[0] ?? new Uint8Array(), [7, 1])) {
    reader.push(chunk);
    for (const packet of reader.packets()) packets.push(packet.bytes);
  }
  expect(packets.map((bytes) => [bytes.length, new Set(bytes)])).toEqual(
    [1, 2, 3].map((size) => [size * 10, new Set([size])]),
  );
});

test("a packet in a thousand chunks is copied a few times, not a thousand", () => {
  const bytes = writePcap([{ bytes: new Uint8Array(200_000) }]);
  const before = Uint8Array.prototype.set;
  let copied = 0;
  Uint8Array.prototype.set = function (this: Uint8Array, source: ArrayLike<number>, offset?: number): void {
    copied += source.length;
    before.call(this, source, offset);
  };
  try {
    const reader = new CaptureReader();
    for (const chunk of chunksOf(bytes, [200])) {
      reader.push(chunk);
      for (const packet of reader.packets()) expect(packet.bytes.length).toBe(200_000);
    }
  } finally {
    Uint8Array.prototype.set = before;
  }
  expect(copied).toBeLessThan(bytes.length * 4);
});

test("leaving the loop ends the source", async () => {
  let ended = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield await Promise.resolve(files[0] ?? new Uint8Array());
      yield new Uint8Array(1);
    } finally {
      ended = true;
    }
  }
  for await (const packet of readCapture(source())) {
    expect(packet.bytes.length).toBe(10);
    break;
  }
  expect(ended).toBe(true);
});
