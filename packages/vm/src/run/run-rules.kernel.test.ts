// SPDX-License-Identifier: Apache-2.0

import { AttachType, InvalidValueError, ProgramType, type RunOptions } from "@skep/ebpf";
import { FileDescriptor, isSystemCallError, loadProgram, runProgram } from "@skep/linux";
import { describe, expect, it } from "vitest";
import { onlyWithOurRules } from "./kernel-rules.test-kit.ts";
import { inputOf, ipv4Frame, ipv6Frame, testRoom } from "./run-room.test-kit.ts";

/** r0 = 1; exit. */
const one = Uint8Array.of(0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

function context(size: number, fields: Readonly<Record<number, number>>): Uint8Array {
  const bytes = new Uint8Array(size);
  for (const [offset, value] of Object.entries(fields))
    new DataView(bytes.buffer).setUint32(Number(offset), value, true);
  return bytes;
}

/** What comes out: the packet and the context in hexadecimal, or the errno. */
function inKernel(type: number, attachType: number, options: RunOptions): string {
  const { result } = loadProgram({ type, expectedAttachType: attachType, instructions: one, license: "GPL" });
  expect(result).toBeGreaterThan(0);
  using fd = new FileDescriptor(result);
  try {
    return textOf(runProgram(fd, options));
  } catch (error) {
    if (isSystemCallError(error)) return error.errnoName;
    throw error;
  }
}

function inVm(type: number, attachType: number, options: RunOptions): string {
  const input = inputOf(testRoom(), type, attachType);
  try {
    input.prepare(options);
    return textOf(input.finish(options, 1, 0));
  } catch (error) {
    if (error instanceof InvalidValueError) return /\(([A-Z0-9]+)\)$/.exec(error.message)?.[1] ?? error.message;
    throw error;
  }
}

function textOf({ data, context }: { data: Uint8Array; context: Uint8Array }): string {
  return `${Buffer.from(data).toString("hex")} ${Buffer.from(context).toString("hex")}`;
}

const skb = (fields: Readonly<Record<number, number>>, data = ipv4Frame): RunOptions => ({
  data,
  context: context(192, fields),
  contextOutSize: 192,
});
const xdp = (...fields: number[]): RunOptions => ({
  data: ipv4Frame,
  context: new Uint8Array(Uint32Array.from(fields).buffer),
  contextOutSize: 24,
});
const lookup = (fields: Readonly<Record<number, number>>): RunOptions => ({
  context: context(72, { 8: 2, 12: 6, ...fields }),
  contextOutSize: 72,
});

const skbRuns: readonly RunOptions[] = [
  {},
  { data: ipv4Frame, flags: 1 },
  { data: ipv4Frame, cpu: 1 },
  { data: ipv4Frame, batchSize: 1 },
  { data: ipv4Frame, repeat: 3 },
  ...[0, 13, 14, 33, 34].map((length) => ({ data: ipv4Frame.slice(0, length) })),
  ...[53, 54].map((length) => ({ data: ipv6Frame.slice(0, length) })),
  { data: ipv4Frame },
  { data: ipv6Frame, contextOutSize: 192 },
  { data: ipv4Frame, contextOutSize: 100 },
  { data: ipv4Frame, dataOutSize: 20 },
  { data: ipv4Frame, context: new Uint8Array(8), contextOutSize: 192 },
  { data: ipv4Frame, context: new Uint8Array(200), contextOutSize: 192 },
  { data: ipv4Frame, context: context(200, { 196: 1 }) },
  ...Array.from({ length: 48 }, (_, i) => i * 4)
    // ifindex: the kernel looks a device up.
    .filter((offset) => offset !== 40 && offset !== 160)
    .map((offset) => skb({ [offset]: 1 })),
  ...[1, 53, 54, 65_535, 65_536, 65_537].map((length) => skb({ 160: length })),
  ...[65_535, 65_536].map((segments) => skb({ 164: segments })),
];

const xdpRuns: readonly RunOptions[] = [
  { data: ipv4Frame, flags: 1 },
  { data: ipv4Frame, batchSize: 1 },
  {},
  { data: ipv4Frame.slice(0, 13) },
  { data: ipv4Frame },
  { data: ipv4Frame, dataOutSize: 20 },
  xdp(0, 54),
  xdp(0, 55),
  xdp(4, 54),
  xdp(3, 54),
  xdp(32, 54),
  xdp(8, 4),
  xdp(0, 54, 1),
  xdp(0, 54, 0, 1),
  xdp(0, 54, 0, 0, 1),
  xdp(0, 54, 0, 0, 0, 1),
  xdp(0, 54, 0, 0, 0, 0, 1),
];

const lookupRuns: readonly RunOptions[] = [
  {},
  { data: ipv4Frame },
  ...Array.from({ length: 17 }, (_, i) => i * 4)
    .filter((offset) => offset !== 8)
    .map((offset) => lookup({ [offset]: 1 })),
  lookup({ 8: 10 }),
  lookup({ 8: 1 }),
  lookup({ 60: 65_535 }),
  lookup({ 60: 65_536 }),
  lookup({ 64: 1 }),
];

const dissectorRuns: readonly RunOptions[] = [
  {},
  { data: ipv4Frame },
  { data: ipv4Frame.slice(0, 13) },
  { data: ipv4Frame, context: context(56, { 48: 1 }) },
  { data: ipv4Frame, context: context(56, { 44: 1 }) },
  { data: ipv4Frame, context: context(56, { 52: 1 }) },
];

const bytesRuns: readonly RunOptions[] = [
  {},
  { context: new Uint8Array(16) },
  { context: new Uint8Array(96) },
  { context: new Uint8Array(97) },
  { context: new Uint8Array(16), repeat: 1 },
  { context: new Uint8Array(16), flags: 1 },
  { context: new Uint8Array(16), flags: 2 },
  { context: new Uint8Array(16), cpu: 1 },
  { data: ipv4Frame },
];

const cases: readonly (readonly [name: string, type: number, attachType: number, runs: readonly RunOptions[]])[] = [
  ["sched_cls", ProgramType.SCHED_CLS, 0, skbRuns],
  ["cgroup_skb", ProgramType.CGROUP_SKB, AttachType.CGROUP_INET_INGRESS, skbRuns],
  ["socket_filter", ProgramType.SOCKET_FILTER, 0, skbRuns],
  ["lwt_xmit", ProgramType.LWT_XMIT, 0, skbRuns],
  ["xdp", ProgramType.XDP, 0, xdpRuns],
  ["sk_lookup", ProgramType.SK_LOOKUP, AttachType.SK_LOOKUP, lookupRuns],
  ["raw_tracepoint", ProgramType.RAW_TRACEPOINT, 0, bytesRuns],
  ["flow_dissector", ProgramType.FLOW_DISSECTOR, AttachType.FLOW_DISSECTOR, dissectorRuns],
];

onlyWithOurRules();

describe("what a run takes and gives is what BPF_PROG_RUN does", () => {
  it.for(cases)("%s", ([, type, attachType, runs]) => {
    for (const options of runs) {
      const { context, ...rest } = options;
      const given = { ...rest, context: context && Buffer.from(context).toString("hex") };
      expect({ given, out: inVm(type, attachType, options) }).toEqual({
        given,
        out: inKernel(type, attachType, options),
      });
    }
  });
});
