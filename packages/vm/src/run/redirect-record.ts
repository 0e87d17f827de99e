// SPDX-License-Identifier: Apache-2.0

import type { RunState } from "./run-state.ts";

/** `redirect_kind` of `struct vm_run`. */
export const RedirectKind = {
  NONE: 0,
  INTERFACE: 1,
  PEER: 2,
  NEIGHBOUR: 3,
  MAP: 4,
  SOCKET_MAP: 5,
} as const;

/** Where a program sent its packet. */
export interface RedirectRecord {
  /**
   * `interface`: bpf_redirect. `peer`: bpf_redirect_peer. `neighbour`: bpf_redirect_neigh. `map`: bpf_redirect_map. `socket`:
   * bpf_sk_redirect_map and its kin.
   */
  readonly kind: "interface" | "peer" | "neighbour" | "map" | "socket";
  /** Interface index; of maps the key, of socket hashes 0. */
  readonly target: number;
  readonly flags: bigint;
  /** Address of the map's struct, for those that go by one. */
  readonly map: number | undefined;
  /** Address of the socket, for kind `socket`. */
  readonly socket: number | undefined;
}

/** A copy of the packet that a program sent on its way (`bpf_clone_redirect`). */
export interface CloneRecord {
  readonly interfaceIndex: number;
  /** The packet as it was then. */
  readonly data: Uint8Array;
  readonly flags: number;
}

const kinds = [undefined, "interface", "peer", "neighbour", "map", "socket"] as const;

/** What a run asked for last; undefined when nothing. */
export function redirectOf(state: RunState): RedirectRecord | undefined {
  const kind = kinds[state.redirectKind];
  if (kind === undefined) return undefined;
  const map = state.redirectMap;
  return {
    kind,
    target: state.redirectTarget,
    flags: state.redirectFlags,
    map: map === 0 ? undefined : map,
    socket: kind === "socket" ? state.redirectSocket : undefined,
  };
}
