// SPDX-License-Identifier: Apache-2.0

/** What `bpf_fib_lookup` asks. Addresses have 4 bytes, or 16. */
export interface FibQuery {
  /** 4 or 6. */
  readonly version: 4 | 6;
  /** The interface that the packet came by. */
  readonly interfaceIndex: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  /** IP protocol, and ports in host order; 0 when the program does not say. */
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Type of service of IPv4. */
  readonly typeOfService: number;
  /** `BPF_FIB_LOOKUP_*`. */
  readonly flags: number;
}

/** Where a packet goes. */
export interface FibAnswer {
  /** `BPF_FIB_LKUP_RET_*`; 0, success, unless given. */
  readonly code?: number;
  /** The interface that it leaves by. */
  readonly interfaceIndex: number;
  /** The next hop, when that is another than the destination. */
  readonly gateway?: Uint8Array;
  /** Link addresses of the interface and the next hop; without the latter the answer is BPF_FIB_LKUP_RET_NO_NEIGH. */
  readonly sourceMac?: Uint8Array;
  readonly destinationMac?: Uint8Array;
  readonly metric?: number;
  /** The MTU of the route; that of the interface unless given. */
  readonly mtu?: number;
  /** The source address that the route prefers, for BPF_FIB_LOOKUP_SRC. */
  readonly source?: Uint8Array;
}

/** A route of {@link fibOf}. */
export interface Route extends FibAnswer {
  /** Bytes of the prefix, 4 or 16. */
  readonly prefix: Uint8Array;
  /** Bits of it that count. */
  readonly length: number;
}

/** Answers from a table of routes, the longest prefix first. */
export function fibOf(routes: readonly Route[]): (query: FibQuery) => FibAnswer | undefined {
  const sorted = routes.toSorted((a, b) => b.length - a.length);
  return ({ destination }) => sorted.find(({ prefix, length }) => covers(prefix, length, destination));
}

function covers(prefix: Uint8Array, length: number, address: Uint8Array): boolean {
  if (prefix.length !== address.length) return false;
  for (let bit = 0; bit < length; bit += 8) {
    const mask = length - bit >= 8 ? 0xff : (0xff << (8 - (length - bit))) & 0xff;
    const i = bit >> 3;
    if ((((prefix[i] ?? 0) ^ (address[i] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}
