// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { standardEmitters } from "../../code/emitters.ts";
import type { ContextLayout } from "../../context/context-layout.ts";
import { contextLayout } from "../../context/layout-for.ts";
import { VmMemory } from "../../memory/vm-memory.ts";
import { PacketBatch } from "../../run/packet-batch.ts";
import { ProgramInput } from "../../run/program-input.ts";
import { ipv4Frame, ipv6Frame } from "../../run/run-room.test-kit.ts";
import { compileRuntime } from "../../runtime/compile-runtime.ts";
import { Worker } from "../../worker.ts";
import { enterPacket } from "./runtime-packet-helpers.ts";

const { XDP, SCHED_CLS, CGROUP_SKB } = ProgramType;

/** A context's words and the state's bounds, with addresses as distances from the packet's first byte. */
function picture({ room: { context }, state, memory }: Worker, { size, name }: ContextLayout): object {
  const base = state.packetData;
  const near = (word: number): number | string => (Math.abs(word - base) < 70_000 ? `packet + ${word - base}` : word);
  const words = Array.from({ length: size / 4 }, (_, i) =>
    near(memory.view.getUint32(memory.index(context) + 4 * i, true)),
  );
  const { packetMeta, packetDataEnd, packetFirst, macHeader, networkHeader } = state;
  const headers = name === "struct __sk_buff" ? { macHeader, networkHeader } : {};
  const bounds = { packetMeta, packetDataEnd, ...headers };
  return {
    words,
    bounds: Object.fromEntries(Object.entries(bounds).map(([name, address]) => [name, near(address)])),
    headroom: base - packetFirst,
  };
}

describe("a packet of a batch is entered as a packet of its own is", () => {
  it.for(
    [XDP, SCHED_CLS, CGROUP_SKB].flatMap((type) =>
      [ipv4Frame, ipv6Frame].map((frame) => [type, frame.length, frame] as const),
    ),
  )("type %s, %s bytes", ([type, , frame]) => {
    const memory = new VmMemory({ size: 1 << 22, addressBits: 32, shared: false, regions: true });
    const maps = memory.allocate(128, 128);
    const worker = new Worker(memory, 0);
    const options = {
      addressBits: 32,
      memorySize: memory.bytes.length,
      maps: { first: maps, end: maps + 128 },
      shared: false,
      regions: true,
      fuel: undefined,
      emitters: standardEmitters(),
      hashFactor: 1n,
    } as const;
    const layout = contextLayout(type);
    const enter = enterPacket(layout);
    expect(enter).toBeDefined();
    if (enter === undefined) return;
    const { calls } = compileRuntime(worker, options, [enter]);

    new ProgramInput(worker.room, layout).prepare({ data: frame });
    const alone = picture(worker, layout);
    using batch = new PacketBatch(memory, [new Uint8Array(100).fill(0xff), frame]);
    batch.prepare(worker.room, layout);
    for (const i of [0, 1]) {
      const pair = memory.index(batch.list) + 8 * i;
      calls[enter.name]?.(memory.view.getUint32(pair, true), memory.view.getUint32(pair + 4, true));
    }
    const { state } = worker;
    // Helpers of socket buffers move the packet when it has no room before it; XDP's has what the kernel's has.
    const headroom = type === XDP ? {} : { headroom: expect.any(Number) };
    expect(picture(worker, layout)).toEqual({ ...alone, ...headroom });
    expect(state.packetEnd).toBe(state.packetDataEnd + 192);
    // The room leaves open what is the batch's.
    const { packetData } = state;
    worker.room.leavePacket();
    expect(memory.mayAccess(packetData, 8, "read")).toBe(true);
  });
});
