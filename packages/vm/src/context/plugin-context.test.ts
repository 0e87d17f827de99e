// SPDX-License-Identifier: Apache-2.0

import { BtfBuilder, BtfKind, readBtf } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { ProgramInput } from "../run/program-input.ts";
import { testRoom } from "../run/run-room.test-kit.ts";
import { mayTouchContext } from "./context-layout.ts";
import { pluginContext } from "./plugin-context.ts";

describe("a context of fields", () => {
  const layout = pluginContext("struct request", [
    { name: "kind", size: 1 },
    { name: "bytes", size: 4, count: 3, writable: true },
    { name: "when", size: 8 },
    { name: "delta", size: 2, signed: true, writable: true },
  ]);

  it("lies as C lays it out", () => {
    expect(layout.fields.map(({ offset }) => offset)).toEqual([0, 4, 16, 24]);
    expect(layout.size).toBe(32);
  });

  it("is read in parts, and written where it may be", () => {
    expect(mayTouchContext(layout, 16, 4, false)).toBe(true);
    expect(mayTouchContext(layout, 8, 8, true)).toBe(true);
    expect(mayTouchContext(layout, 12, 4, true)).toBe(true);
    expect(mayTouchContext(layout, 16, 8, true)).toBe(false);
    expect(mayTouchContext(layout, 1, 1, false)).toBe(false);
  });

  it("goes in and out by names", () => {
    const room = testRoom();
    const input = new ProgramInput(room, layout);
    const options = { context: { kind: 3, bytes: [1, 2], when: 5n, delta: -7 } };
    const address = input.prepare(options);
    expect(room.memory.mayAccess(address, 1, "read")).toBe(true);
    expect(room.memory.mayAccess(address + 16, 8, "write")).toBe(false);
    room.memory.view.setUint32(room.memory.index(address) + 12, 9, true);
    expect(input.finish(options, 0, 0).values).toEqual({ kind: 3, bytes: [1, 2, 9], when: 5n, delta: -7 });
    expect(() => input.prepare({ context: { kind: 256 } })).toThrow("256 is not a number of 8 bits");
    expect(() => input.prepare({ context: { delta: 40_000 } })).toThrow("40000 is not a number of 16 bits");
  });

  it("has each name once", () => {
    const twice = [
      { name: "a", size: 4 },
      { name: "a", size: 4 },
    ] as const;
    expect(() => pluginContext("struct twice", twice)).toThrow('two fields "a"');
  });
});

describe("a context of a struct", () => {
  const builder = new BtfBuilder();
  const integer = { kind: BtfKind.INT, bitOffset: 0, signed: false, char: false, bool: false } as const;
  const u32 = builder.add({ ...integer, name: "unsigned int", size: 4, bits: 32 });
  const u8 = builder.add({ ...integer, name: "unsigned char", size: 1, bits: 8 });
  const mac = builder.add({ kind: BtfKind.ARRAY, name: "", element: u8, index: u32, length: 6 });
  const member = (name: string, type: number, offset: number, bitSize = 0) => ({
    name,
    type,
    bitOffset: offset * 8,
    bitSize,
  });
  const peer = builder.add({
    kind: BtfKind.STRUCT,
    name: "peer",
    size: 12,
    members: [member("as", u32, 0), member("mac", mac, 4)],
  });
  builder.add({
    kind: BtfKind.STRUCT,
    name: "route",
    size: 16,
    members: [member("metric", u32, 0), member("peer", peer, 4)],
  });
  builder.add({ kind: BtfKind.STRUCT, name: "flags", size: 4, members: [member("up", u32, 0, 1)] });
  const btf = readBtf(builder.build());

  it("has the members of structs within by their paths", () => {
    const { fields, size } = pluginContext("struct route", { btf, struct: "route", writable: ["peer"] });
    expect(size).toBe(16);
    expect(fields.map((field) => [field.name, field.offset, field.size, field.count, field.write])).toEqual([
      ["metric", 0, 4, 1, 0],
      ["peer.as", 4, 4, 1, 1],
      ["peer.mac", 8, 1, 6, 1],
    ]);
  });

  it("refuses what it cannot show", () => {
    expect(() => pluginContext("c", { btf, struct: "flags" })).toThrow('member "up" of a context is a bitfield');
    expect(() => pluginContext("c", { btf, struct: "nothing" })).toThrow('no struct "nothing"');
    expect(() => pluginContext("c", { btf, struct: "route", writable: ["peers"] })).toThrow('"peers"');
  });
});
