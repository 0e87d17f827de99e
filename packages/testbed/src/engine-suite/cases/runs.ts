// SPDX-License-Identifier: Apache-2.0

import { equal, ok } from "../assert.ts";
import { u64 } from "../bytes.ts";
import { type CaseContext, udpFrame } from "../case-context.ts";
import type { EngineCase } from "../engine-case.ts";

/** Loads programs of `suite-packets`, with `in` set. */
export function packets(context: CaseContext, program: string, ...input: number[]) {
  const collection = context.load("suite-packets", { programs: [program] });
  const give = (...values: number[]) =>
    collection.variable("in").set([...values, ...new Array<number>(4 - values.length).fill(0)]);
  if (input.length > 0) give(...input);
  const out = (count: number): number[] => collection.variable<bigint[]>("out").get().slice(0, count).map(Number);
  return { collection, give, out };
}

const AF_INET = 2;
const IPPROTO_TCP = 6;

/** How programs of each type are run, and what they get and give. */
export const runCases: readonly EngineCase[] = [
  {
    name: "run: it runs as often as asked, and tells the mean time",
    run(context) {
      const collection = context.load("suite-code", { programs: ["count"] });
      const { returned, duration } = context.run(collection, "count", { data: udpFrame(), repeat: 20 });
      equal(collection.variable("zeros").get(), 20n);
      equal(returned, 8);
      ok(Number.isInteger(duration) && duration >= 0, `the mean time of a run is ${duration}`);
    },
  },
  {
    name: "run: types that take a packet are refused without one, or with too little of it",
    run(context) {
      const tc = context.load("suite-code", { programs: ["count"] });
      context.refuses("EINVAL", () => context.run(tc, "count", {}));
      context.refuses("EINVAL", () => context.run(tc, "count", { data: new Uint8Array(13) }));
      const { collection } = packets(context, "turn");
      context.refuses("EINVAL", () => context.run(collection, "turn", {}));
      context.refuses("EINVAL", () => context.run(collection, "turn", { data: new Uint8Array(13) }));
      equal(tc.variable("zeros").get(), 0n);
    },
  },
  {
    name: "run: what comes out is a copy",
    run(context) {
      const { collection } = packets(context, "turn");
      const data = udpFrame();
      const first = context.run(collection, "turn", { data }).data;
      const kept = first.slice();
      equal(data, udpFrame(), "the input");
      context.run(collection, "turn", { data: new Uint8Array(100).fill(1) });
      equal(first, kept);
    },
  },
  {
    name: "socket filter: it tells how much of a packet is wanted",
    run(context) {
      const { collection } = packets(context, "length");
      const { returned, data } = context.run(collection, "length");
      // The link layer is not counted, and comes out all the same.
      equal([returned, data.length], [50, 64]);
    },
  },
  {
    name: "socket filter: the packet instructions of old read big-endian, at any place",
    run(context) {
      const { collection, out } = packets(context, "legacy", 21);
      equal(context.run(collection, "legacy").returned, 33);
      // The packet begins after the link layer.
      const there = new DataView(udpFrame().buffer, 14 + 21);
      equal(out(6), [0x45, 0x4500, 0x4500_0032, there.getUint8(0), there.getUint16(0), there.getUint32(0)]);
    },
  },
  {
    name: "socket filter: the packet instructions of old end the program where the packet ends",
    run(context) {
      const { collection, give, out } = packets(context, "legacy", 49);
      equal(context.run(collection, "legacy").returned, 0);
      equal(out(4)[3], 63);
      give(2 ** 31 - 1);
      equal(context.run(collection, "legacy").returned, 0);
    },
  },
  {
    name: "cgroup skb: it sees the packet's length and addresses, and says yes or no",
    run(context) {
      const { collection, give, out } = packets(context, "pass_cgroup", 1);
      equal(context.run(collection, "pass_cgroup").returned & 1, 1);
      equal(out(3), [50, 8, AF_INET]);
      give(0);
      equal(context.run(collection, "pass_cgroup").returned & 1, 0);
    },
  },
  {
    name: "socket lookup: it gets a connection's addresses, and says whether it may be",
    run(context) {
      const { collection, out } = packets(context, "lookup");
      const input = new Uint8Array(72);
      const view = new DataView(input.buffer);
      view.setUint32(8, AF_INET, true);
      view.setUint32(12, IPPROTO_TCP, true);
      view.setUint32(16, 0x0403_010a, true);
      view.setUint16(36, 4660, false);
      view.setUint32(40, 0x0503_010a, true);
      view.setUint32(60, 80, true);
      const { returned } = context.run(collection, "lookup", { context: input });
      equal(returned, 1);
      equal(out(7), [AF_INET, IPPROTO_TCP, 80, 0x0403_010a, 0x0503_010a, 4660, 1]);
      view.setUint32(60, 81, true);
      equal(context.run(collection, "lookup", { context: input }).returned, 0);
    },
  },
  {
    name: "flow dissector: it gives the keys that it found",
    run(context) {
      const { collection, out } = packets(context, "dissect");
      const { returned, data } = context.run(collection, "dissect");
      equal(returned, 0);
      equal(out(1), [14]);
      // struct bpf_flow_keys is what comes out in the packet's place.
      const view = new DataView(data.buffer, data.byteOffset);
      equal(
        [data.length, view.getUint16(0, true), view.getUint16(2, true), view.getUint16(4, true), view.getUint8(9)],
        [56, 14, 34, 0x0800, 17],
      );
    },
  },
  {
    name: "syscall: its context goes in and comes out",
    run(context) {
      const collection = context.load("suite-code", { programs: ["call"] });
      const input = u64(40n, 2n, 0n);
      const { returned, context: output } = context.run(collection, "call", { context: input, contextOutSize: 24 });
      equal(returned, 99);
      equal(output, u64(0n, 2n, 42n));
      equal(input, u64(40n, 2n, 0n), "what was given");
      equal(context.run(collection, "call", { context: input }).context.length, 0);
    },
  },
  {
    name: "raw tracepoint: its arguments are the context",
    run(context) {
      const collection = context.load("suite-code", { programs: ["tracepoint"] });
      const { returned } = context.run(collection, "tracepoint", { context: u64(0x1234n, 2n ** 63n - 1n) });
      equal(returned, 12);
      equal(collection.variable<bigint[]>("out").get().slice(0, 2), [0x1234n, 2n ** 63n - 1n]);
    },
  },
  {
    name: "run: a packet has no room in what is kept of it",
    run(context) {
      const { collection } = packets(context, "turn");
      context.refuses("ENOSPC", () => context.run(collection, "turn", { data: udpFrame(), dataOutSize: 20 }));
    },
  },
];
