// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import { Errno } from "../errno.ts";
import type { Helper, HelperFrame } from "../helper.ts";
import type { VmNetwork } from "./packet-world.ts";
import type { SocketTable } from "./socket-table.ts";
import { SocketState, type VirtualSocket } from "./virtual-socket.ts";

const EPROTOTYPE = 91;
const ESOCKTNOSUPPORT = 94;
const EAFNOSUPPORT = 97;
const EEXIST = 17;
const TCP = 6;
const UDP = 17;
/** Bytes of the halves of `struct bpf_sock_tuple`. */
const TUPLE_IPV4 = 12;
const TUPLE_IPV6 = 36;
const BPF_SK_LOOKUP_F_REPLACE = 1;
const BPF_SK_LOOKUP_F_NO_REUSEPORT = 2;
/** Of `struct bpf_sk_lookup`. */
const Lookup = { SOCKET: 0, FAMILY: 8, PROTOCOL: 12 } as const;
const AF_INET = 2;
/** The uid of packets that have no socket. */
const OVERFLOW_UID = 65_534;

/** Where the context of a program type has its socket. */
const socketField: ReadonlyMap<number, number> = new Map([
  [ProgramType.SK_LOOKUP, 0],
  [ProgramType.CGROUP_SOCK_ADDR, 64],
  [ProgramType.SK_MSG, 72],
  [ProgramType.SOCK_OPS, 184],
  [ProgramType.SK_REUSEPORT, 40],
]);
const SKB_SOCKET = 168;

/** A packet's socket by the tuple that a program gives: an IPv4 or an IPv6 one, by its length. */
function lookUp(sockets: SocketTable, protocol: number, tuple: Uint8Array, flags: number): VirtualSocket | undefined {
  if (flags !== 0 || (tuple.length !== TUPLE_IPV4 && tuple.length !== TUPLE_IPV6)) return undefined;
  const length = tuple.length === TUPLE_IPV4 ? 4 : 16;
  const view = new DataView(tuple.buffer, tuple.byteOffset, tuple.length);
  return sockets.lookup({
    protocol,
    source: tuple.subarray(0, length),
    destination: tuple.subarray(length, 2 * length),
    sourcePort: view.getUint16(2 * length),
    destinationPort: view.getUint16(2 * length + 2),
  });
}

/** bpf_sk_lookup_assign: which sockets may be chosen, and when a second time. */
function assignInLookup({ memory, state }: HelperFrame, socket: VirtualSocket | undefined, flags: number): number {
  if ((flags & ~(BPF_SK_LOOKUP_F_REPLACE | BPF_SK_LOOKUP_F_NO_REUSEPORT)) !== 0) return -Errno.EINVAL;
  const { view } = memory;
  const at = memory.index(state.context);
  if (socket !== undefined) {
    if (socket.state === SocketState.ESTABLISHED) return -ESOCKTNOSUPPORT;
    if (socket.options.protocol !== view.getUint32(at + Lookup.PROTOCOL, true)) return -EPROTOTYPE;
    const family = view.getUint32(at + Lookup.FAMILY, true);
    if (socket.family !== family && socket.family === AF_INET) return -EAFNOSUPPORT;
  }
  if (state.assignedSocket !== 0 && (flags & BPF_SK_LOOKUP_F_REPLACE) === 0) return -EEXIST;
  state.assignedSocket = socket?.address ?? 0;
  view.setUint32(at + Lookup.SOCKET, state.assignedSocket, true);
  return 0;
}

/** The socket that a context or a pointer to a socket leads to. */
function socketOf({ memory, state }: HelperFrame, sockets: SocketTable, address: number): VirtualSocket | undefined {
  if (address !== state.context) return sockets.byAddress(address);
  const field = socketField.get(state.programType) ?? SKB_SOCKET;
  return sockets.byAddress(memory.view.getUint32(memory.index(address) + field, true));
}

/** Lookups of virtual sockets, what is chosen, and what sockets are asked. */
export function socketHelpers(network: VmNetwork, sockets: SocketTable): Helper[] {
  const lookup = (id: number, name: string, protocol: number): Helper => ({
    id,
    name,
    parameters: ["context", { readSized: 2 }, "u32", "u64", "u64"],
    result: "address",
    call(_frame: HelperFrame, _context: number, tuple: Uint8Array, _size: number, _netns: number, flags: number) {
      const socket = lookUp(sockets, protocol, tuple, flags);
      if (socket === undefined) return 0;
      socket.references++;
      return socket.address;
    },
  });
  const about = (id: number, name: string, call: Helper["call"], result: Helper["result"] = "address"): Helper => ({
    id,
    name,
    parameters: ["address"],
    result,
    call,
  });
  return [
    lookup(84, "sk_lookup_tcp", TCP),
    lookup(85, "sk_lookup_udp", UDP),
    lookup(99, "skc_lookup_tcp", TCP),
    about(
      86,
      "sk_release",
      (_frame, address: number) => {
        const socket = sockets.byAddress(address);
        if (socket === undefined || socket.references === 0) return -Errno.EINVAL;
        socket.references--;
        return 0;
      },
      "i32",
    ),
    about(95, "sk_fullsock", (_frame, address: number) => sockets.byAddress(address)?.address ?? 0),
    // A virtual socket has no connection whose counters a struct bpf_tcp_sock could show.
    about(96, "tcp_sock", () => 0),
    about(98, "get_listener_sock", (_frame, address: number) => {
      const socket = sockets.byAddress(address);
      return socket?.state === SocketState.LISTEN ? socket.address : 0;
    }),
    about(
      46,
      "get_socket_cookie",
      (frame, address: number) => socketOf(frame, sockets, address)?.cookie ?? 0n,
      "bigint",
    ),
    about(
      47,
      "get_socket_uid",
      (frame, address: number) => socketOf(frame, sockets, address)?.options.uid ?? OVERFLOW_UID,
      "u32",
    ),
    about(122, "get_netns_cookie", () => network.networkNamespaceCookie ?? 1n, "bigint"),
    about(128, "sk_cgroup_id", () => network.cgroupId ?? 0n, "bigint"),
    {
      id: 124,
      name: "sk_assign",
      parameters: ["context", "address", "u64"],
      result: "i32",
      call(frame: HelperFrame, _context: number, address: number, flags: number) {
        const socket = sockets.byAddress(address);
        if (address !== 0 && socket === undefined) return -Errno.EINVAL;
        if (frame.state.programType === ProgramType.SK_LOOKUP) return assignInLookup(frame, socket, flags);
        if (socket === undefined || flags !== 0) return -Errno.EINVAL;
        frame.state.assignedSocket = socket.address;
        return 0;
      },
    },
  ];
}
