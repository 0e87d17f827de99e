// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError } from "@skep/ebpf";
import { BPF_SOCK_SIZE } from "../../context/socket-contexts.ts";
import type { VmMemory } from "../../memory/vm-memory.ts";

/** TCP_LISTEN of include/net/tcp_states.h; UDP sockets that are not connected have TCP_CLOSE. */
export const SocketState = { ESTABLISHED: 1, CLOSE: 7, LISTEN: 10 } as const;

/** What a virtual socket is like. Addresses have 4 or 16 bytes, all the same number; ports are in host order. */
export interface VirtualSocketOptions {
  /** IPPROTO_TCP 6 or IPPROTO_UDP 17. */
  readonly protocol: number;
  readonly localAddress: Uint8Array;
  readonly localPort: number;
  /** Of a connected socket. */
  readonly remoteAddress?: Uint8Array;
  readonly remotePort?: number;
  readonly mark?: number;
  readonly priority?: number;
  /** Index of the interface that it is bound to; 0, any, unless given. */
  readonly boundInterface?: number;
  /** `bpf_get_socket_uid`; 0 unless given. */
  readonly uid?: number;
}

/** Of `struct bpf_sock`. */
const Field = {
  BOUND: 0,
  FAMILY: 4,
  TYPE: 8,
  PROTOCOL: 12,
  MARK: 16,
  PRIORITY: 20,
  SRC_IP4: 24,
  SRC_IP6: 28,
  SRC_PORT: 44,
  DST_PORT: 48,
  DST_IP4: 52,
  DST_IP6: 56,
  STATE: 72,
  RX_QUEUE: 76,
} as const;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const TCP = 6;

/**
 * A socket that exists in an engine only: a `struct bpf_sock` in its memory, which programs find by lookups and in maps. Maps of
 * sockets hold it by its address.
 */
export class VirtualSocket {
  /** Of its `struct bpf_sock`. */
  readonly address: number;
  /** `bpf_get_socket_cookie`. */
  readonly cookie: bigint;
  readonly options: VirtualSocketOptions;
  /** What programs that looked it up have not released; 0 after a program that keeps the rules. */
  references = 0;
  /** Options that programs set on it (`bpf_setsockopt`), as bytes by `level:name`. */
  readonly settings: Map<string, Uint8Array> = new Map();
  #holds = 0;

  /** Throws InvalidValueError for addresses that are none. */
  constructor(memory: VmMemory, cookie: bigint, options: VirtualSocketOptions) {
    const { protocol, localAddress, localPort, remoteAddress, remotePort = 0 } = options;
    const { length } = localAddress;
    if ((length !== 4 && length !== 16) || (remoteAddress !== undefined && remoteAddress.length !== length)) {
      throw new InvalidValueError(
        `a socket's addresses have ${length} and ${remoteAddress?.length ?? length} bytes; wanted are 4 or 16 of both`,
      );
    }
    this.options = options;
    this.cookie = cookie;
    this.address = memory.allocate(BPF_SOCK_SIZE, 8);
    memory.setRegion(this.address, BPF_SOCK_SIZE, "read");
    const bytes = memory.slice(this.address, BPF_SOCK_SIZE);
    const view = new DataView(bytes.buffer, bytes.byteOffset, BPF_SOCK_SIZE);
    view.setUint32(Field.BOUND, options.boundInterface ?? 0, true);
    view.setUint32(Field.FAMILY, length === 4 ? AF_INET : AF_INET6, true);
    view.setUint32(Field.TYPE, protocol === TCP ? SOCK_STREAM : SOCK_DGRAM, true);
    view.setUint32(Field.PROTOCOL, protocol, true);
    view.setUint32(Field.MARK, options.mark ?? 0, true);
    view.setUint32(Field.PRIORITY, options.priority ?? 0, true);
    bytes.set(localAddress, length === 4 ? Field.SRC_IP4 : Field.SRC_IP6);
    view.setUint32(Field.SRC_PORT, localPort, true);
    view.setUint16(Field.DST_PORT, remotePort, false);
    if (remoteAddress !== undefined) bytes.set(remoteAddress, length === 4 ? Field.DST_IP4 : Field.DST_IP6);
    view.setUint32(Field.STATE, this.state, true);
    view.setInt32(Field.RX_QUEUE, -1, true);
  }

  /** AF_INET 2 or AF_INET6 10. */
  get family(): number {
    return this.options.localAddress.length === 4 ? AF_INET : AF_INET6;
  }

  /** {@link SocketState}: established when it has a remote address, else listening (TCP) or closed (UDP). */
  get state(): number {
    if (this.options.remoteAddress !== undefined) return SocketState.ESTABLISHED;
    return this.options.protocol === TCP ? SocketState.LISTEN : SocketState.CLOSE;
  }

  /** Held by a map. */
  hold(): Disposable {
    this.#holds++;
    return {
      [Symbol.dispose]: () => {
        this.#holds--;
      },
    };
  }

  /** In how many places of maps it is. */
  get holds(): number {
    return this.#holds;
  }
}
