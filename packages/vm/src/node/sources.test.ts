// SPDX-License-Identifier: Apache-2.0

import { channel, hasSubscribers } from "node:diagnostics_channel";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { type Collection, InvalidValueError, load, NotSupportedError } from "@skep/ebpf";
import { ethernet, ipv4, LinkType, packet, parseCapture, tcp, writePcap } from "@skep/packet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VmEngine } from "../vm-engine.ts";
import { VmFault } from "../vm-fault.ts";
import {
  passedOf,
  readCaptureFile,
  readObject,
  runEach,
  runEvery,
  runOnChannel,
  runPackets,
  writeCaptureFile,
} from "./index.ts";

const object = readObject(new URL("../../test-objects/packet-programs.bpf.o", import.meta.url));
const toPort = (destinationPort: number): Uint8Array => packet(ethernet(), ipv4(), tcp({ destinationPort }));
/** `fragile` faults on this. */
const poison = new Uint8Array(60).fill(0xff);

let engine: VmEngine;
let app: Collection;

beforeEach(() => {
  engine = new VmEngine({ memory: 2 ** 24 });
  app = load(object, { engine, programs: ["drop", "fragile", "odd", "mark", "add"], variables: { port: 80 } });
});
afterEach(() => {
  app.close();
  engine.close();
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("runPackets", () => {
  it("gives a result for each packet, in order", async () => {
    const packets = [80, 443, 80].map(toPort);
    const stream = runPackets(app.program("drop"), packets);
    expect((await all(stream)).map(({ verdict, passed }) => [verdict, passed])).toEqual([
      ["XDP_DROP", false],
      ["XDP_PASS", true],
      ["XDP_DROP", false],
    ]);
    expect(stream.counters).toEqual({ fed: 3, failed: 0, dropped: 0 });
    expect(app.map("counters").lookup(80)).toBe(2n);
    expect(app.variable("total").get()).toBe(3n);
  });

  it("runs more than a batch, and small ones at once", async () => {
    const many = Array.from({ length: 1000 }, (_, i) => toPort(i + 1));
    const results = await all(runPackets(app.program("drop"), many, { batchSize: 7 }));
    expect(results.map(({ input }) => input)).toEqual(many);
    expect(results.filter(({ passed }) => !passed)).toHaveLength(1);
    const source = new PassThrough({ objectMode: true });
    const iterator = runPackets(app.program("drop"), source)[Symbol.asyncIterator]();
    source.write(toPort(80));
    source.write(toPort(81));
    expect((await iterator.next()).value).toMatchObject({ verdict: "XDP_DROP" });
    expect((await iterator.next()).value).toMatchObject({ verdict: "XDP_PASS" });
    source.end(toPort(80));
    expect((await iterator.next()).value).toMatchObject({ verdict: "XDP_DROP" });
    expect((await iterator.next()).done).toBe(true);
  });

  it("reads no more than is asked for", async () => {
    let read = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (;;) {
        read++;
        yield toPort(80);
      }
    }
    for await (const { verdict } of runPackets(app.program("drop"), source(), { batchSize: 4 })) {
      expect(verdict).toBe("XDP_DROP");
      break;
    }
    await turn();
    expect(read).toBeLessThanOrEqual(8);
  });

  it("ends with a fault, after the results before it", async () => {
    const packets = [toPort(1), toPort(2), poison, toPort(3)];
    const stream = runPackets(app.program("fragile"), packets);
    const results: unknown[] = [];
    const end = expect(
      (async () => {
        for await (const result of stream) results.push(result);
      })(),
    ).rejects;
    await end.toThrow(VmFault);
    expect(results).toHaveLength(2);
    expect(stream.counters).toEqual({ fed: 3, failed: 1, dropped: 0 });
    expect(app.variable("total").get()).toBe(3n);
  });

  it("counts faults and what it cannot run, and goes on, if so told", async () => {
    const packets = [
      poison,
      toPort(1),
      new Uint8Array(3),
      poison,
      poison,
      toPort(2),
      new Uint8Array(70_000),
      toPort(3),
    ];
    const stream = runPackets(app.program("fragile"), packets, { faults: "count" });
    expect((await all(stream)).map(({ input }) => input)).toEqual([toPort(1), toPort(2), toPort(3)]);
    expect(stream.counters).toEqual({ fed: 8, failed: 5, dropped: 0 });
    expect(app.variable("total").get()).toBe(6n);
    await expect(all(runPackets(app.program("drop"), [new Uint8Array(3)]))).rejects.toThrow(
      "a packet has 3 bytes, wanted is 14 to 65550",
    );
    const raw = { ...first(writePcap([{ bytes: toPort(1), linkType: LinkType.RAW }], { linkType: LinkType.RAW })) };
    await expect(all(runPackets(app.program("drop"), [raw]))).rejects.toThrow("link type 101");
  });

  it("ends when its signal aborts, also while it waits", async () => {
    const aborting = new AbortController();
    const source = new PassThrough({ objectMode: true });
    source.write(toPort(80));
    const stream = runPackets(app.program("drop"), source, { signal: aborting.signal });
    const results: unknown[] = [];
    setTimeout(() => aborting.abort(), 20);
    for await (const result of stream) results.push(result);
    expect(results).toHaveLength(1);
    expect(source.destroyed).toBe(true);
    expect(await all(runPackets(app.program("drop"), [toPort(1)], { signal: AbortSignal.abort() }))).toEqual([]);
  });

  it("passes on what its source throws, after the results before it", async () => {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield toPort(80);
      throw new Error("the wire broke");
    }
    const stream = runPackets(app.program("drop"), source());
    await expect(all(stream)).rejects.toThrow("the wire broke");
    expect(stream.counters.fed).toBe(1);
  });

  it("knows types without the Ethernet header, and refuses those without packets", async () => {
    const [result] = await all(runPackets(app.program("odd"), [toPort(1)]));
    expect(result).toMatchObject({ returned: 0, verdict: "0", passed: false, linkType: LinkType.RAW });
    expect(result?.bytes).toHaveLength(40);
    expect(() => runPackets(app.program("add"), [])).toThrow(NotSupportedError);
    expect(() => runPackets(app.program("drop"), [], { batchSize: 0 })).toThrow(InvalidValueError);
  });
});

describe("captures", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "skep-capture-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("go in from a file, and what passes goes out, with its time", async () => {
    const [from, to] = [join(folder, "in.pcap"), join(folder, "out.pcap")];
    const packets = [80, 81, 80, 82].map((port, i) => ({ bytes: toPort(port), seconds: 1000 + i, nanoseconds: i }));
    writeFileSync(from, writePcap(packets));
    const results = runPackets(app.program("drop"), readCaptureFile(from));
    expect(await writeCaptureFile(to, passedOf(results))).toBe(2);
    expect(results.counters.fed).toBe(4);
    expect([...parseCapture(new Uint8Array(readFileSync(to)))]).toMatchObject([packets[1], packets[3]]);
    expect(await writeCaptureFile(to, [], { format: "pcapng" })).toBe(0);
    expect([...parseCapture(readFileSync(to))]).toEqual([]);
  });

  it("keep the link type, of pcapng each its own", async () => {
    const to = join(folder, "out.pcapng");
    const results = runPackets(app.program("odd"), [toPort(80)]);
    expect(await writeCaptureFile(to, results, { format: "pcapng" })).toBe(1);
    expect(first(readFileSync(to))).toMatchObject({ linkType: LinkType.RAW, originalLength: 40 });
  });

  it("come from streams, and end with them", async () => {
    const stream = Readable.from([writePcap([{ bytes: toPort(80) }]).subarray(0, 50)]);
    await expect(all(readCaptureFile(stream))).rejects.toThrow("the file ends within a record");
    await expect(all(readCaptureFile(join(folder, "none.pcap")))).rejects.toThrow("ENOENT");
  });
});

describe("runEach", () => {
  it("runs contexts by name, and tells all that a run does", async () => {
    const inputs = [1, 2].map((mark) => ({ data: toPort(80), context: { mark } }));
    const results = await all(runEach(app.program("mark"), inputs));
    expect(results.map(({ values }) => values?.priority)).toEqual([2, 3]);
  });

  it("ends with what a run refuses, or counts it", async () => {
    const inputs = [{ data: toPort(1) }, { data: new Uint8Array(1) }, { data: poison }, { data: toPort(2) }];
    await expect(all(runEach(app.program("fragile"), inputs))).rejects.toThrow(InvalidValueError);
    const counting = runEach(app.program("fragile"), inputs, { faults: "count" });
    expect(await all(counting)).toHaveLength(2);
    expect(counting.counters).toEqual({ fed: 4, failed: 2, dropped: 0 });
  });
});

describe("runEvery", () => {
  it("keeps to the beat, and drops what nobody waits for", async () => {
    const stream = runEvery(app.program("add"), 5, {
      input: (run) => ({ context: Uint8Array.of(run, 0, 0, 0, 9, 0, 0, 0) }),
    });
    const returned: number[] = [];
    for await (const result of stream) {
      returned.push(result.returned);
      if (returned.length === 1) await sleep(40);
      if (returned.length === 3) break;
    }
    expect(returned).toEqual([0, 1, 2]);
    expect(stream.counters.fed).toBeGreaterThanOrEqual(3);
    expect(stream.counters.dropped).toBeGreaterThanOrEqual(4);
    expect(app.map("counters").lookup(9)).toBeDefined();
  });

  it("ends when its signal aborts, and refuses times that it cannot wait", async () => {
    const stream = runEvery(app.program("add"), 10_000, { signal: AbortSignal.timeout(20) });
    expect(await all(stream)).toEqual([]);
    for (const time of [0, Number.NaN, 2 ** 31])
      expect(() => runEvery(app.program("add"), time)).toThrow("cannot be run every");
  });
});

describe("runOnChannel", () => {
  const input = (message: unknown) => {
    const { length, port } = message as { length: number; port: number };
    if (length === 0) return undefined;
    return { context: Uint8Array.of(length, 0, 0, 0, port, 0, 0, 0) };
  };

  it("runs what is published, as it was then", async () => {
    const name = "skep.test.published";
    const stream = runOnChannel(app.program("add"), name, input);
    const results = stream[Symbol.asyncIterator]();
    expect(hasSubscribers(name)).toBe(false);
    const next = results.next();
    const message = { length: 3, port: 5 };
    channel(name).publish(message);
    message.length = 4;
    channel(name).publish({ length: 0 });
    expect((await next).value).toMatchObject({ returned: 3 });
    channel(name).publish(message);
    expect((await results.next()).value).toMatchObject({ returned: 4 });
    expect(app.map("counters").lookup(5)).toBe(4n);
    await results.return(undefined);
    expect(hasSubscribers(name)).toBe(false);
    expect(stream.counters).toEqual({ fed: 2, failed: 0, dropped: 0 });
  });

  it("drops what there is no room for, and counts it", async () => {
    const name = "skep.test.dropped";
    const stream = runOnChannel(app.program("add"), name, input, { waiting: 2 });
    const results = stream[Symbol.asyncIterator]();
    const next = results.next();
    for (let length = 1; length <= 9; length++) channel(name).publish({ length, port: 1 });
    expect((await next).value).toMatchObject({ returned: 1 });
    expect((await results.next()).value).toMatchObject({ returned: 2 });
    expect((await results.next()).value).toMatchObject({ returned: 3 });
    expect(stream.counters.dropped).toBe(6);
    await results.return(undefined);
  });

  it("keeps what its mapping throws from the publisher", async () => {
    const name = "skep.test.thrown";
    const stream = runOnChannel(app.program("add"), name, () => {
      throw new Error("no such field");
    });
    const ended = expect(all(stream)).rejects.toThrow("no such field");
    channel(name).publish({});
    await ended;
    expect(hasSubscribers(name)).toBe(false);
  });
});

function first(capture: Uint8Array): ReturnType<typeof parseCapture> extends Generator<infer P> ? P : never {
  const [captured] = parseCapture(capture);
  if (captured === undefined) throw new Error("the capture is empty");
  return captured;
}
