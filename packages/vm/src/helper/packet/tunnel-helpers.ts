// SPDX-License-Identifier: Apache-2.0

import type { RunRoom } from "../../run/run-room.ts";
import { Errno } from "../errno.ts";
import type { Helper, HelperFrame } from "../helper.ts";

const ENOMEM = 12;
const EPROTO = 71;
/** Bytes of `struct bpf_tunnel_key`, and where it ended in earlier versions. */
const KEY_SIZE = 44;
const SHORTER = [28, 24, 22, 8] as const;
/** Of `struct bpf_tunnel_key`. */
const REMOTE = 4;
const EXTENSION = 22;
const LOCAL = 28;
const BPF_F_TUNINFO_IPV6 = 1;
const BPF_F_TUNINFO_FLAGS = 16;
/** ZERO_CSUM_TX, DONT_FRAGMENT, SEQ_NUMBER, NO_TUNNEL_KEY (6.5), with IPV6. */
const SET_FLAGS = 0x1f;
/** IP_TUNNEL_OPTS_MAX */
const MOST_OPTIONS = 255;

/** What a program set, as the other end would see it: the kernel shows it so when it is asked for again. */
function swapped(key: Uint8Array): Uint8Array {
  const seen = key.slice();
  seen.set(key.subarray(LOCAL, LOCAL + 16), REMOTE);
  seen.set(key.subarray(REMOTE, REMOTE + 16), LOCAL);
  return seen;
}

function isKeyLength(length: number): boolean {
  return length === KEY_SIZE || SHORTER.some((shorter) => shorter === length);
}

/**
 * The tunnel of a packet, as state of the run: what a program sets it may get again, and the host gives one with the packet
 * and finds one in the result.
 */
export function tunnelHelpers(room: RunRoom): Helper[] {
  return [
    {
      id: 20,
      name: "skb_get_tunnel_key",
      parameters: ["context", { writeSized: 2 }, "u32", "u64"],
      result: "i32",
      call(_frame: HelperFrame, _context: number, to: Uint8Array, size: number, flags: number) {
        const key = room.tunnel.key;
        to.fill(0);
        if (key === undefined || (flags & ~(BPF_F_TUNINFO_IPV6 | BPF_F_TUNINFO_FLAGS)) !== 0) return -Errno.EINVAL;
        if (room.tunnel.ipv6 !== ((flags & BPF_F_TUNINFO_IPV6) !== 0)) return -EPROTO;
        if (!isKeyLength(size)) return -Errno.EINVAL;
        to.set((room.tunnel.sent ? swapped(key) : key).subarray(0, size));
        to.fill(0, EXTENSION, EXTENSION + 2);
        return 0;
      },
    },
    {
      id: 21,
      name: "skb_set_tunnel_key",
      parameters: ["context", { readSized: 2 }, "u32", "u64"],
      result: "i32",
      call(_frame: HelperFrame, _context: number, from: Uint8Array, size: number, flags: number) {
        if ((flags & ~SET_FLAGS) !== 0 || !isKeyLength(size)) return -Errno.EINVAL;
        const key = new Uint8Array(KEY_SIZE);
        key.set(from);
        room.tunnel = { key, ipv6: (flags & BPF_F_TUNINFO_IPV6) !== 0, sent: true, options: undefined };
        return 0;
      },
    },
    {
      id: 29,
      name: "skb_get_tunnel_opt",
      parameters: ["context", { writeSized: 2 }, "u32"],
      result: "i32",
      call(_frame: HelperFrame, _context: number, to: Uint8Array, size: number) {
        const { options } = room.tunnel;
        to.fill(0);
        if (options === undefined) return -Errno.ENOENT;
        if (options.length > size) return -ENOMEM;
        to.set(options);
        return options.length;
      },
    },
    {
      id: 30,
      name: "skb_set_tunnel_opt",
      parameters: ["context", { readSized: 2 }, "u32"],
      result: "i32",
      call(_frame: HelperFrame, _context: number, from: Uint8Array, size: number) {
        if (room.tunnel.key === undefined || size % 4 !== 0) return -Errno.EINVAL;
        if (size > MOST_OPTIONS) return -ENOMEM;
        room.tunnel = { ...room.tunnel, options: from.slice() };
        return 0;
      },
    },
  ];
}
