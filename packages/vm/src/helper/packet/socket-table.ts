// SPDX-License-Identifier: Apache-2.0

import type { VmMemory } from "../../memory/vm-memory.ts";
import { VirtualSocket, type VirtualSocketOptions } from "./virtual-socket.ts";

/** A connection as a packet that arrives has it: `source` is the remote end. */
export interface SocketTuple {
  readonly protocol: number;
  readonly source: Uint8Array;
  readonly sourcePort: number;
  readonly destination: Uint8Array;
  readonly destinationPort: number;
}

/** The virtual sockets of an engine. */
export class SocketTable {
  readonly #memory: VmMemory;
  readonly #sockets = new Map<number, VirtualSocket>();
  #cookie = 0n;

  constructor(memory: VmMemory) {
    this.#memory = memory;
  }

  /** Makes a socket that lookups find from now on. Throws InvalidValueError for addresses that are none. */
  add(options: VirtualSocketOptions): VirtualSocket {
    const socket = new VirtualSocket(this.#memory, ++this.#cookie, options);
    this.#sockets.set(socket.address, socket);
    return socket;
  }

  /** The socket whose struct lies there. */
  byAddress(address: number): VirtualSocket | undefined {
    return this.#sockets.get(address);
  }

  /**
   * The socket that a packet would reach: one that is connected, else one that is bound to the address, else to the port on any
   * address; of several the oldest.
   */
  lookup(tuple: SocketTuple): VirtualSocket | undefined {
    let best: VirtualSocket | undefined;
    let bestScore = 0;
    for (const socket of this.#sockets.values()) {
      const score = scoreOf(socket.options, tuple);
      if (score > bestScore) [best, bestScore] = [socket, score];
    }
    return best;
  }
}

function scoreOf(socket: VirtualSocketOptions, tuple: SocketTuple): number {
  const { localAddress, remoteAddress } = socket;
  if (socket.protocol !== tuple.protocol || socket.localPort !== tuple.destinationPort) return 0;
  if (localAddress.length !== tuple.destination.length) return 0;
  const anyAddress = localAddress.every((byte) => byte === 0);
  if (!anyAddress && !equal(localAddress, tuple.destination)) return 0;
  if (remoteAddress !== undefined) {
    return equal(remoteAddress, tuple.source) && socket.remotePort === tuple.sourcePort ? 3 : 0;
  }
  return anyAddress ? 1 : 2;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}
