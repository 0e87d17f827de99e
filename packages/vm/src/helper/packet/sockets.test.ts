// SPDX-License-Identifier: Apache-2.0

import { AttachType, type BpfMap, type MapSpec, MapType, ProgramType } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import type { VmRunResult } from "../../run/run-options.ts";
import { ipv4Frame } from "../../run/run-room.test-kit.ts";
import { VmEngine } from "../../vm-engine.ts";
import { onStack, vmProgram } from "./assembly.test-kit.ts";
import { fibOf } from "./fib.ts";

const TCP = 6;
const UDP = 17;
const ANY = new Uint8Array(4);
const local = Uint8Array.of(10, 0, 0, 2);
const remote = Uint8Array.of(10, 0, 0, 1);

/** Looks a connection up from 10.0.0.1:1234 to 10.0.0.2:`port`; r0 is the source port of what was found, 0 for nothing. */
const lookup = (helper: string, port: number, release = true): string => `
  ${onStack(12, [...remote, ...local, 0x04, 0xd2, port >> 8, port & 0xff])}
  mov %r2, %r10
  add %r2, -12
  mov %r3, 12
  mov %r4, -1
  mov %r5, 0
  call ${helper}
  jeq %r0, 0, exit
  ldxw %r6, [%r0+44]
  ${release ? "mov %r1, %r0\ncall bpf_sk_release" : ""}
  mov %r0, %r6
  exit`;

describe("virtual sockets", () => {
  const engine = (): VmEngine => new VmEngine({ memory: 1 << 23 });
  const run = (vm: VmEngine, text: string): number => {
    using program = vmProgram(vm, { type: ProgramType.SCHED_CLS, text });
    return program.run({ data: ipv4Frame }).returned;
  };

  it("are found by connection, then by address, then by port", () => {
    using vm = engine();
    const any = vm.sockets.add({ protocol: TCP, localAddress: ANY, localPort: 80 });
    expect(run(vm, lookup("bpf_sk_lookup_tcp", 80))).toBe(80);
    expect(run(vm, lookup("bpf_sk_lookup_tcp", 81))).toBe(0);
    expect(run(vm, lookup("bpf_sk_lookup_udp", 80))).toBe(0);
    const tuple = { protocol: TCP, source: remote, sourcePort: 1234, destination: local, destinationPort: 80 };
    expect(vm.sockets.lookup(tuple)).toBe(any);
    const bound = vm.sockets.add({ protocol: TCP, localAddress: local, localPort: 80 });
    expect(vm.sockets.lookup(tuple)).toBe(bound);
    const connected = vm.sockets.add({
      protocol: TCP,
      localAddress: local,
      localPort: 80,
      remoteAddress: remote,
      remotePort: 1234,
    });
    expect(vm.sockets.lookup(tuple)).toBe(connected);
    expect(vm.sockets.lookup({ ...tuple, sourcePort: 1235 })).toBe(bound);
  });

  it("tell who forgot to release them", () => {
    using vm = engine();
    const socket = vm.sockets.add({ protocol: UDP, localAddress: local, localPort: 53 });
    run(vm, lookup("bpf_sk_lookup_udp", 53));
    expect(socket.references).toBe(0);
    run(vm, lookup("bpf_sk_lookup_udp", 53, false));
    expect(socket.references).toBe(1);
  });

  it("are chosen by sk_lookup once, and again when that is asked for", () => {
    using vm = engine();
    const socket = vm.sockets.add({ protocol: TCP, localAddress: ANY, localPort: 80 });
    const datagrams = vm.sockets.add({ protocol: UDP, localAddress: ANY, localPort: 80 });
    const assign = (address: number, flags: number): string =>
      `mov %r1, %r6\nlddw %r2, ${address}\nmov %r3, ${flags}\ncall bpf_sk_assign`;
    const text = `
      mov %r6, %r1
      ${assign(socket.address, 0)}
      mov %r7, %r0
      ${assign(socket.address, 0)}
      lsh %r7, 8
      sub %r7, %r0
      ${assign(socket.address, 1)}
      lsh %r7, 8
      sub %r7, %r0
      ${assign(datagrams.address, 1)}
      lsh %r7, 8
      sub %r7, %r0
      mov %r0, %r7
      exit`;
    using program = vmProgram(vm, { type: ProgramType.SK_LOOKUP, attachType: AttachType.SK_LOOKUP, text });
    const result = program.run({ context: { family: 2, protocol: TCP, local_port: 80 } });
    expect(result.returned).toBe((17 << 16) | 91);
    expect(result.socket).toBe(socket.address);
  });
});

describe("what a run did with its packet", () => {
  it("shows where it was redirected, and what was cloned before it was changed", () => {
    using vm = new VmEngine({ memory: 1 << 23 });
    const text = `
      mov %r6, %r1
      mov %r2, 5
      mov %r3, 1
      call bpf_clone_redirect
      mov %r1, %r6
      mov %r2, 20
      mov %r3, 0
      call bpf_skb_change_tail
      mov %r1, 7
      mov %r2, 0
      call bpf_redirect
      exit`;
    using program = vmProgram(vm, { type: ProgramType.SCHED_CLS, text });
    const result = program.run({ data: ipv4Frame });
    expect(result).toMatchObject({ returned: 7, data: ipv4Frame.subarray(0, 20) });
    expect(result.redirect).toMatchObject({ kind: "interface", target: 7, flags: 0n });
    expect(result.clones).toEqual([{ interfaceIndex: 5, data: ipv4Frame, flags: 1 }]);
    using pass = vmProgram(vm, { type: ProgramType.SCHED_CLS, text: "mov %r0, 0\nexit" });
    expect(pass.run({ data: ipv4Frame })).not.toHaveProperty("redirect");
    expect(pass.run({ data: ipv4Frame })).not.toHaveProperty("clones");
  });

  it("has the route that the host's table gives", () => {
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
    const fib = fibOf([
      {
        prefix: Uint8Array.of(10, 0, 0, 0),
        length: 8,
        interfaceIndex: 3,
        sourceMac: mac,
        destinationMac: mac,
        mtu: 1500,
      },
      {
        prefix: Uint8Array.of(10, 0, 0, 2),
        length: 32,
        interfaceIndex: 4,
        sourceMac: mac,
        destinationMac: mac,
        mtu: 20,
      },
    ]);
    using vm = new VmEngine({ memory: 1 << 23, network: { fib } });
    const ask = (last: number): string => `
      ${onStack(64, [...[2, 0, 0, 0, 0, 0, 40, 0], ...[1, 0, 0, 0], ...new Array(20).fill(0), ...[10, 0, 0, last], ...new Array(28).fill(0)])}
      mov %r2, %r10
      add %r2, -64
      mov %r3, 64
      mov %r4, 0
      call bpf_fib_lookup
      ldxw %r1, [%r10-56]
      lsh %r0, 8
      or %r0, %r1
      lsh %r0, 8
      ldxb %r1, [%r10-1]
      or %r0, %r1
      exit`;
    const run = (last: number): number => {
      using program = vmProgram(vm, { type: ProgramType.XDP, text: ask(last) });
      return program.run({ data: ipv4Frame }).returned;
    };
    expect(run(3)).toBe((0 << 16) | (3 << 8) | 9);
    expect(run(2)).toBe((8 << 16) | (4 << 8));
  });
});

describe("messages", () => {
  it("are shown in part, and grow and shrink", () => {
    using vm = new VmEngine({ memory: 1 << 23 });
    const text = `
      mov %r6, %r1
      mov %r2, 2
      mov %r3, 3
      mov %r4, 0
      call bpf_msg_push_data
      mov %r1, %r6
      mov %r2, 0
      mov %r3, 1
      mov %r4, 0
      call bpf_msg_pop_data
      mov %r1, %r6
      mov %r2, 4
      call bpf_msg_apply_bytes
      mov %r1, %r6
      mov %r2, 4
      mov %r3, 6
      mov %r4, 0
      call bpf_msg_pull_data
      ldxdw %r1, [%r6+0]
      ldxdw %r2, [%r6+8]
      ldxb %r0, [%r1+0]
      sub %r2, %r1
      lsh %r0, 8
      or %r0, %r2
      exit`;
    using program = vmProgram(vm, { type: ProgramType.SK_MSG, attachType: AttachType.SK_MSG_VERDICT, text });
    const result = program.run({ data: Uint8Array.of(1, 2, 3, 4), context: {} });
    expect(result.returned).toBe((3 << 8) | 2);
    expect(result.values).toMatchObject({ size: 6 });
    expect(result.message).toEqual({ applyBytes: 4, corkBytes: 0 });
  });
});

describe("redirects through maps", () => {
  const word = (value: number): Uint8Array => Uint8Array.of(value, 0, 0, 0);
  const mapOf = (vm: VmEngine, name: string, type: number): BpfMap => {
    const sizes = { keySize: 4, valueSize: 4, maxEntries: 4, flags: 0, extra: 0n };
    const spec: MapSpec = { name, type, ...sizes, pinning: "none", keyTypeId: 0, valueTypeId: 0 };
    return vm.createMap(spec, undefined, undefined);
  };

  it("name the map and the key, or give what is asked for where there is nothing", () => {
    using vm = new VmEngine({ memory: 1 << 23 });
    using devices = mapOf(vm, "devices", MapType.DEVMAP) as BpfMap<Uint8Array, Uint8Array>;
    devices.update(word(1), word(7));
    const run = (key: number, flags: number): VmRunResult => {
      const text = `lddw %r1, map[devices]\nmov %r2, ${key}\nmov %r3, ${flags}\ncall bpf_redirect_map\nexit`;
      using program = vmProgram(vm, { type: ProgramType.XDP, text }, new Map([["devices", devices]]));
      return program.run({ data: ipv4Frame });
    };
    expect(run(1, 0)).toMatchObject({ returned: 4, redirect: { kind: "map", target: 1, flags: 0n } });
    expect(run(2, 2)).toMatchObject({ returned: 2 });
    expect(run(2, 2)).not.toHaveProperty("redirect");
    expect(run(9, 8)).toMatchObject({ returned: 4, redirect: { flags: 8n } });
    expect(run(1, 64).returned).toBe(0);
  });

  it("find the socket that a message goes to", () => {
    using vm = new VmEngine({ memory: 1 << 23 });
    const sockets = mapOf(vm, "sockets", MapType.SOCKMAP) as BpfMap<Uint8Array, unknown>;
    const socket = vm.sockets.add({ protocol: TCP, localAddress: local, localPort: 80 });
    sockets.update(word(2), socket);
    expect(socket.holds).toBe(1);
    const run = (key: number): VmRunResult => {
      const text = `lddw %r2, map[sockets]\nmov %r3, ${key}\nmov %r4, 1\ncall bpf_msg_redirect_map\nexit`;
      const program = { type: ProgramType.SK_MSG, attachType: AttachType.SK_MSG_VERDICT, text };
      using loaded = vmProgram(vm, program, new Map([["sockets", sockets]]));
      return loaded.run({ data: Uint8Array.of(1, 2, 3) });
    };
    expect(run(2)).toMatchObject({ returned: 1, redirect: { kind: "socket", target: 2, socket: socket.address } });
    expect(run(3).returned).toBe(0);
    sockets.close();
  });
});
