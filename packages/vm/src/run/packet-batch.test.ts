// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { contextLayout } from "../context/layout-for.ts";
import { vmProgram } from "../helper/packet/assembly.test-kit.ts";
import { VmEngine } from "../vm-engine.ts";
import { PacketBatch } from "./packet-batch.ts";
import { ipv4Frame, ipv6Frame, testRoom } from "./run-room.test-kit.ts";

/** r0 is the EtherType; the first byte of the packet is counted up. */
const text = `
  ldxw %r2, [%r1+0]
  ldxw %r3, [%r1+4]
  mov %r4, %r2
  add %r4, 14
  mov %r0, 0
  jgt %r4, %r3, exit
  ldxb %r5, [%r2+0]
  add %r5, 1
  stxb [%r2+0], %r5
  ldxh %r0, [%r2+12]
  exit`;

describe("a batch of packets", () => {
  it("runs a program on each, and shows what it made of them", () => {
    using engine = new VmEngine({ memory: 1 << 23 });
    using program = vmProgram(engine, { type: ProgramType.XDP, text });
    using batch = new PacketBatch(engine.memory, [ipv4Frame, ipv6Frame, ipv4Frame]);
    program.batch(batch);
    expect([...batch.returned]).toEqual([0x0008, 0xdd86, 0x0008]);
    expect(batch.packet(0)).toEqual(Uint8Array.of(3, ...ipv4Frame.subarray(1)));
    program.batch(batch);
    expect(batch.packet(2)[0]).toBe(4);
    expect(batch.packet(1).length).toBe(ipv6Frame.length);
  });

  it("is open to the byte, as the type may touch it, and closed afterwards", () => {
    const room = testRoom();
    const { memory } = room;
    const batch = new PacketBatch(memory, [ipv4Frame, ipv6Frame]);
    batch.prepare(room, contextLayout(ProgramType.XDP));
    const first = memory.view.getUint32(memory.index(batch.list), true);
    expect(memory.mayAccess(first, 54, "write")).toBe(true);
    expect(memory.mayAccess(first + 54, 1, "read")).toBe(false);
    expect(memory.mayAccess(batch.list, 4, "read")).toBe(false);
    batch.prepare(room, contextLayout(ProgramType.CGROUP_SKB));
    expect(memory.view.getUint32(memory.index(batch.list), true)).toBe(first + 14);
    expect(batch.packet(0).length).toBe(40);
    expect(memory.mayAccess(first + 14, 40, "read")).toBe(true);
    expect(memory.mayAccess(first + 14, 40, "write")).toBe(false);
    const used = memory.used;
    batch.close();
    batch.close();
    expect(memory.used).toBeLessThan(used);
    expect(memory.mayAccess(first + 14, 1, "read")).toBe(false);
    expect(() => batch.prepare(room, contextLayout(ProgramType.XDP))).toThrow("closed");
  });

  it("opens again what a run has moved", () => {
    const room = testRoom();
    const { memory } = room;
    using batch = new PacketBatch(memory, [ipv4Frame]);
    const layout = contextLayout(ProgramType.XDP);
    batch.prepare(room, layout);
    const at = memory.index(batch.list);
    const first = memory.view.getUint32(at, true);
    // As if the program had taken 20 bytes off both ends.
    memory.setRegion(first, 16, "none");
    memory.setRegion(first + 32, 22, "none");
    memory.view.setUint32(at, first + 20, true);
    memory.view.setUint32(at + 4, 14, true);
    batch.prepare(room, layout);
    expect(memory.mayAccess(first, 54, "write")).toBe(true);
  });

  it("refuses packets that a type cannot have", () => {
    const room = testRoom();
    using batch = new PacketBatch(room.memory, [ipv4Frame, new Uint8Array(13)]);
    expect(() => batch.prepare(room, contextLayout(ProgramType.XDP))).toThrow("has 13 bytes");
    expect(() => batch.prepare(room, contextLayout(ProgramType.SYSCALL))).toThrow("has no packet");
    expect(() => new PacketBatch(room.memory, [new Uint8Array(70_000)])).toThrow("packet 0 of a batch has 70000 bytes");
  });
});
