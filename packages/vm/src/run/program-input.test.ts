// SPDX-License-Identifier: Apache-2.0

import { AttachType, ProgramType } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { ADDRESS_BASE } from "../memory/vm-memory.ts";
import { contextWord, inputOf, ipv4Frame, ipv6Frame, testRoom } from "./run-room.test-kit.ts";

const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

describe("XDP", () => {
  it("has its packet between data and data_end, open to the byte, and nothing else", () => {
    const room = testRoom();
    const context = inputOf(room, ProgramType.XDP).prepare({ data: ipv4Frame });
    const data = contextWord(room, 0);
    const end = contextWord(room, 4);
    expect(context).toBe(room.context);
    expect(end - data).toBe(54);
    expect(contextWord(room, 8)).toBe(data);
    expect(contextWord(room, 12)).toBe(1);
    expect(room.memory.slice(data, 54)).toEqual(ipv4Frame);
    expect(room.memory.mayAccess(data, 54, "write")).toBe(true);
    expect(room.memory.mayAccess(end, 1, "read")).toBe(false);
    expect(room.memory.mayAccess(data - 1, 1, "read")).toBe(false);
    expect(room.memory.mayAccess(context, 24, "read")).toBe(true);
    expect(room.memory.mayAccess(context, 4, "write")).toBe(false);
    expect(room.memory.mayAccess(context + 24, 1, "read")).toBe(false);
  });

  it("can move its start by 216 bytes and its end to 3,520", () => {
    const room = testRoom();
    inputOf(room, ProgramType.XDP).prepare({ data: ipv4Frame });
    expect(room.state.packetData - room.state.packetFirst).toBe(216);
    expect(room.state.packetEnd - room.state.packetData).toBe(3520);
  });

  it("gives back packet and metadata as they were left", () => {
    const room = testRoom();
    const input = inputOf(room, ProgramType.XDP);
    const options = { data: ipv4Frame, context: words(8, 54), contextOutSize: 24 };
    input.prepare(options);
    expect(contextWord(room, 0) - contextWord(room, 8)).toBe(8);
    room.state.packetDataEnd -= 4;
    const { returned, data, context } = input.finish(options, -1, 5);
    expect(returned).toBe(0xffff_ffff);
    expect(data).toEqual(ipv4Frame.subarray(0, 50));
    expect(new Uint32Array(context.buffer).slice(0, 4)).toEqual(Uint32Array.of(8, 50, 0, 0));
  });

  it("takes metadata and fields by themselves", () => {
    const room = testRoom();
    const input = inputOf(room, ProgramType.XDP);
    const options = { data: ipv4Frame, metadata: words(7), context: { ingress_ifindex: 3, rx_queue_index: 2 } };
    input.prepare(options);
    expect(room.memory.view.getUint32(contextWord(room, 8) - ADDRESS_BASE, true)).toBe(7);
    const { data, values } = input.finish(options, 2, 0);
    expect(data.subarray(4)).toEqual(ipv4Frame);
    expect(values).toEqual({ data: 4, data_end: 58, data_meta: 0, ingress_ifindex: 3, rx_queue_index: 2 });
  });

  it.for([
    [{ egress_ifindex: 1 }, "cannot see it"],
    [{ data: 1 }, "it points into"],
    [{ mark: 1 }, 'no field of struct xdp_md "mark"; there are ingress_ifindex, rx_queue_index'],
    [{ ingress_ifindex: 2 ** 32 }, "4294967296 is not a number of 32 bits"],
    [{ ingress_ifindex: 1.5 }, "1.5 is not a whole number"],
    [{ ingress_ifindex: [1] }, "[1] is not a number"],
  ] as const)("refuses %o", ([context, message]) => {
    const input = inputOf(testRoom(), ProgramType.XDP);
    expect(() => input.prepare({ data: ipv4Frame, context })).toThrow(message);
  });

  it("clears what a program wrote before the packet", () => {
    const room = testRoom();
    const input = inputOf(room, ProgramType.XDP);
    input.prepare({ data: ipv4Frame });
    const { state, memory } = room;
    state.packetLowest -= 20;
    memory.slice(state.packetData - 20, 20).fill(9);
    input.prepare({ data: ipv4Frame });
    expect(memory.slice(state.packetData - 20, 20)).toEqual(new Uint8Array(20));
  });
});

describe("socket buffers", () => {
  it("of tc begin at the frame, with what the kernel's test run says of them", () => {
    const room = testRoom();
    const input = inputOf(room, ProgramType.SCHED_CLS);
    const options = { data: ipv4Frame, context: { mark: 7, cb: [1, 2], tstamp: 2n ** 40n } };
    input.prepare(options);
    const { values, data } = input.finish(options, 0, 0);
    expect(data).toEqual(ipv4Frame);
    expect(values).toMatchObject({ len: 54, pkt_type: 3, protocol: 8, ifindex: 1, wire_len: 54, mark: 7 });
    expect(values).toMatchObject({ data: 0, data_end: 54, cb: [1, 2, 0, 0, 0], tstamp: 2n ** 40n });
    expect(values).not.toHaveProperty("family");
  });

  it("of a cgroup begin at the network header, and come out with zeros for the frame's", () => {
    const room = testRoom();
    const input = inputOf(room, ProgramType.CGROUP_SKB, AttachType.CGROUP_INET_INGRESS);
    const options = { data: ipv6Frame, context: {} };
    input.prepare(options);
    expect(room.memory.slice(contextWord(room, 76), 1)[0]).toBe(0x60);
    expect(room.memory.mayAccess(contextWord(room, 76), 48, "read")).toBe(true);
    expect(room.memory.mayAccess(contextWord(room, 76), 1, "write")).toBe(false);
    const { values, data } = input.finish(options, 1, 0);
    expect(values).toMatchObject({ len: 48, pkt_type: 2, family: 10, local_ip6: [0xfd, 0, 0, 0x0100_0000] });
    expect(data).toEqual(Uint8Array.of(...new Uint8Array(14), ...ipv6Frame.subarray(14)));
  });

  it("give back of a context of bytes what the kernel does", () => {
    const room = testRoom();
    const input = inputOf(room, ProgramType.SCHED_CLS);
    const given = new Uint8Array(192);
    new DataView(given.buffer).setUint32(176, 1400, true);
    const options = { data: ipv4Frame, context: given, contextOutSize: 192 };
    input.prepare(options);
    const { view } = room.memory;
    view.setUint32(room.memory.index(room.context) + 8, 77, true);
    const { context } = input.finish(options, 0, 0);
    const set = [...new Uint32Array(context.buffer).entries()].filter(([, word]) => word !== 0);
    expect(set.map(([i, word]) => [i * 4, word])).toEqual([
      [8, 77],
      [40, 1],
      [160, 54],
      [176, 1400],
    ]);
  });
});

describe("sk_lookup", () => {
  const context = { family: 2, protocol: 6, local_port: 80, local_ip4: 0x0100_007f };

  it("has its connection's fields, and says what was chosen", () => {
    const room = testRoom();
    const input = inputOf(room, ProgramType.SK_LOOKUP);
    input.prepare({ context });
    expect(contextWord(room, 60)).toBe(80);
    room.state.assignedSocket = 0x5000;
    const { socket, context: out } = input.finish({ context }, 1, 0);
    expect(socket).toBe(0x5000);
    expect(new DataView(out.buffer).getBigUint64(0, true)).toBe(0x5000n);
  });

  it("refuses a family that there is not", () => {
    const input = inputOf(testRoom(), ProgramType.SK_LOOKUP);
    expect(() => input.prepare({ context: { ...context, family: 1 } })).toThrow("EAFNOSUPPORT");
  });
});

describe("contexts of bytes", () => {
  it("are open as far as they were given", () => {
    const room = testRoom();
    const input = inputOf(room, ProgramType.SYSCALL);
    const options = { context: words(1, 2, 3), contextOutSize: 100 };
    input.prepare(options);
    expect(room.memory.mayAccess(room.context, 12, "write")).toBe(true);
    expect(room.memory.mayAccess(room.context + 12, 1, "read")).toBe(false);
    room.memory.view.setUint32(room.memory.index(room.context), 9, true);
    expect(input.finish(options, 0, 0).context).toEqual(words(9, 2, 3));
    inputOf(room, ProgramType.XDP).prepare({ data: ipv4Frame });
    expect(room.memory.mayAccess(room.context, 4, "write")).toBe(false);
  });
});

describe("the flow dissector", () => {
  it("fills in struct bpf_flow_keys, which comes out as data", () => {
    const room = testRoom();
    const input = inputOf(room, ProgramType.FLOW_DISSECTOR);
    const options = { data: ipv4Frame };
    input.prepare(options);
    const keys = contextWord(room, 144);
    expect(room.memory.mayAccess(keys, 56, "write")).toBe(true);
    room.memory.view.setUint16(room.memory.index(keys) + 2, 34, true);
    const { data } = input.finish(options, 0, 0);
    expect(data.length).toBe(56);
    expect([...data.subarray(0, 12)]).toEqual([14, 0, 34, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
    inputOf(room, ProgramType.XDP).prepare({ data: ipv4Frame });
    expect(room.memory.mayAccess(keys, 1, "read")).toBe(false);
  });
});

describe("a packet after another", () => {
  it("leaves nothing of the longer one open, also when it was moved", () => {
    const room = testRoom();
    const input = inputOf(room, ProgramType.XDP);
    input.prepare({ data: new Uint8Array(1000) });
    const start = room.state.packetData;
    input.prepare({ data: ipv4Frame });
    for (let address = start - 256; address < start + 1100; address++) {
      expect(room.memory.mayAccess(address, 1, "read")).toBe(address >= start && address < start + 54);
    }
  });
});
