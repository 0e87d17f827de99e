// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import { Errno } from "../errno.ts";
import type { Helper, HelperFrame } from "../helper.ts";
import type { FibAnswer, FibQuery } from "./fib.ts";
import { mtuOf, type VmNetwork } from "./packet-world.ts";

const ENODEV = 19;
const EAFNOSUPPORT = 97;
/** Bytes of `struct bpf_fib_lookup`. */
const FIB_SIZE = 64;
/** Of `struct bpf_fib_lookup`. */
const Field = {
  FAMILY: 0,
  PROTOCOL: 1,
  SOURCE_PORT: 2,
  DESTINATION_PORT: 4,
  LENGTH: 6,
  IFINDEX: 8,
  TOS: 12,
  SOURCE: 16,
  DESTINATION: 32,
  VLAN: 48,
  SOURCE_MAC: 52,
  DESTINATION_MAC: 58,
} as const;
const FibCode = { SUCCESS: 0, NOT_FORWARDED: 4, NO_NEIGHBOUR: 7, FRAGMENTATION_NEEDED: 8 } as const;
/** DIRECT, OUTPUT, SKIP_NEIGH, TBID, SRC, MARK (6.10). */
const FIB_FLAGS = 0x3f;
const SKIP_NEIGHBOUR = 4;
const SOURCE_WANTED = 16;
const AF_INET = 2;
const AF_INET6 = 10;
/** The hard header of an Ethernet device. */
const LINK_HEADER = 14;
const LOOPBACK = 1;
const BPF_MTU_CHK_SEGS = 1;
/** `ingress_ifindex` of `struct xdp_md`, `ifindex` of `struct __sk_buff`. */
const XDP_INGRESS = 12;
const SKB_IFINDEX = 40;

function queryOf(view: DataView, bytes: Uint8Array, version: 4 | 6, flags: number): FibQuery {
  const length = version === 4 ? 4 : 16;
  return {
    version,
    interfaceIndex: view.getUint32(Field.IFINDEX, true),
    source: bytes.slice(Field.SOURCE, Field.SOURCE + length),
    destination: bytes.slice(Field.DESTINATION, Field.DESTINATION + length),
    protocol: view.getUint8(Field.PROTOCOL),
    sourcePort: view.getUint16(Field.SOURCE_PORT),
    destinationPort: view.getUint16(Field.DESTINATION_PORT),
    typeOfService: version === 4 ? view.getUint8(Field.TOS) : 0,
    flags,
  };
}

function writeAnswer(network: VmNetwork, view: DataView, bytes: Uint8Array, answer: FibAnswer, flags: number): number {
  const mtu = answer.mtu ?? mtuOf(network, answer.interfaceIndex);
  const length = view.getUint16(Field.LENGTH, true);
  view.setUint32(Field.IFINDEX, answer.interfaceIndex, true);
  if (mtu !== undefined && length > mtu) {
    view.setUint16(Field.LENGTH, Math.min(mtu, 0xffff), true);
    return FibCode.FRAGMENTATION_NEEDED;
  }
  view.setUint16(Field.LENGTH, Math.min(mtu ?? 0, 0xffff), true);
  view.setUint32(Field.TOS, answer.metric ?? 0, true);
  if (answer.gateway !== undefined) {
    // A gateway of the other family changes the family (RFC 5549).
    bytes[Field.FAMILY] = answer.gateway.length === 4 ? AF_INET : AF_INET6;
    bytes.set(answer.gateway, Field.DESTINATION);
  }
  if ((flags & SOURCE_WANTED) !== 0 && answer.source !== undefined) bytes.set(answer.source, Field.SOURCE);
  if ((flags & SKIP_NEIGHBOUR) !== 0) return FibCode.SUCCESS;
  if (answer.sourceMac !== undefined) bytes.set(answer.sourceMac, Field.SOURCE_MAC);
  if (answer.destinationMac === undefined) return FibCode.NO_NEIGHBOUR;
  bytes.set(answer.destinationMac, Field.DESTINATION_MAC);
  view.setUint32(Field.VLAN, 0, true);
  return FibCode.SUCCESS;
}

/** The interface that a packet is at: the one that it came by for XDP. */
function ownInterface({ memory, state }: HelperFrame): number {
  const offset = state.programType === ProgramType.XDP ? XDP_INGRESS : SKB_IFINDEX;
  return memory.view.getUint32(memory.index(state.context) + offset, true) || LOOPBACK;
}

/** `bpf_fib_lookup` over the host's routes, and `bpf_check_mtu`. */
export function routeHelpers(network: VmNetwork): Helper[] {
  return [
    {
      id: 69,
      name: "fib_lookup",
      parameters: ["context", { writeSized: 2 }, "u32", "u32"],
      result: "i32",
      call(_frame: HelperFrame, _context: number, bytes: Uint8Array, size: number, flags: number) {
        if (size < FIB_SIZE || (flags & ~FIB_FLAGS) !== 0) return -Errno.EINVAL;
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        const family = view.getUint8(Field.FAMILY);
        if (family !== AF_INET && family !== AF_INET6) return -EAFNOSUPPORT;
        const answer = network.fib?.(queryOf(view, bytes, family === AF_INET ? 4 : 6, flags));
        if (answer === undefined) return FibCode.NOT_FORWARDED;
        if (answer.code !== undefined && answer.code !== FibCode.SUCCESS) return answer.code;
        return writeAnswer(network, view, bytes, answer, flags);
      },
    },
    {
      id: 163,
      name: "check_mtu",
      parameters: ["context", "u32", { write: 4 }, "i32", "u64"],
      result: "i32",
      call(frame: HelperFrame, _context: number, index: number, bytes: Uint8Array, by: number, flags: number) {
        const { state } = frame;
        const view = new DataView(bytes.buffer, bytes.byteOffset, 4);
        const given = view.getUint32(0, true);
        const segments = state.programType !== ProgramType.XDP && flags === BPF_MTU_CHK_SEGS;
        if (flags !== 0 && !(segments && by === 0 && given === 0)) return -Errno.EINVAL;
        const mtu = mtuOf(network, index === 0 ? ownInterface(frame) : index);
        if (mtu === undefined) return -ENODEV;
        const length = given === 0 ? state.packetDataEnd - state.packetData : given + LINK_HEADER;
        view.setUint32(0, mtu, true);
        return length + by > mtu + LINK_HEADER ? 1 : 0;
      },
    },
  ];
}
