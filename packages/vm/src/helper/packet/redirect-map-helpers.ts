// SPDX-License-Identifier: Apache-2.0

import { MapType, ProgramType } from "@skep/ebpf";
import type { VmMap } from "../../map/vm-map.ts";
import type { VmMemory } from "../../memory/vm-memory.ts";
import { RedirectKind } from "../../run/redirect-record.ts";
import { Errno } from "../errno.ts";
import type { Helper, HelperFrame, HelperParameter } from "../helper.ts";
import type { RuntimeCalls } from "../runtime-calls.ts";

const LOOKUP = 1;
const UPDATE = 2;
const XDP_REDIRECT = 4;
/** What bpf_redirect_map may return when there is nothing under the key: XDP_ABORTED to XDP_TX. */
const ACTIONS = 3;
const BPF_F_INGRESS = 1;
const BPF_F_BROADCAST = 8;
const BPF_F_EXCLUDE_INGRESS = 16;
const SK_DROP = 0;
const SK_PASS = 1;

/** Where sock_ops programs have their socket. */
const SOCK_OPS_SOCKET = 184;

/** Redirects through maps, and sockets put into maps by programs of sockets. */
export function redirectMapHelpers(memory: VmMemory, calls: RuntimeCalls): Helper[] {
  /** A key for maps that are asked by number. */
  const scratch = memory.allocate(8, 8);

  const find = (map: VmMap, key: number): number => {
    memory.view.setUint32(memory.index(scratch), key, true);
    return calls.map(map, LOOKUP, scratch);
  };

  const redirectMap = ({ state }: HelperFrame, map: VmMap, key: number, flags: number): number => {
    const device = map.spec.type === MapType.DEVMAP || map.spec.type === MapType.DEVMAP_HASH;
    const allowed = ACTIONS | (device ? BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS : 0);
    if (flags > 0xffff_ffff || (flags & ~allowed) !== 0) return 0;
    const broadcast = (flags & BPF_F_BROADCAST) !== 0;
    if (find(map, key) === 0 && !broadcast) {
      state.redirectKind = RedirectKind.NONE;
      return flags & ACTIONS;
    }
    state.redirectKind = RedirectKind.MAP;
    state.redirectTarget = key;
    state.redirectFlags = BigInt(broadcast ? flags : 0);
    state.redirectMap = map.address;
    return XDP_REDIRECT;
  };

  const toSocket = ({ state }: HelperFrame, map: VmMap, key: number, socket: number, flags: number): number => {
    if (flags !== 0 && flags !== BPF_F_INGRESS) return SK_DROP;
    if (socket === 0) return SK_DROP;
    state.redirectKind = RedirectKind.SOCKET_MAP;
    state.redirectTarget = key;
    state.redirectFlags = BigInt(flags);
    state.redirectMap = map.address;
    state.redirectSocket = socket;
    return SK_PASS;
  };

  const byNumber = (id: number, name: string): Helper => ({
    id,
    name,
    parameters: ["context", "map", "u32", "u64"],
    result: "u32",
    call: (frame: HelperFrame, _context: number, map: VmMap, key: number, flags: number) =>
      toSocket(frame, map, key, find(map, key), flags),
  });

  const byKey = (id: number, name: string): Helper => ({
    id,
    name,
    parameters: ["context", "map", "address", "u64"],
    result: "u32",
    call: (frame: HelperFrame, _context: number, map: VmMap, key: number, flags: number) =>
      toSocket(frame, map, 0, calls.map(map, LOOKUP, key), flags),
  });

  const putSocket = (id: number, name: string): Helper => ({
    id,
    name,
    parameters: ["context", "map", "address", "u64"],
    result: "i32",
    call({ state }: HelperFrame, context: number, map: VmMap, key: number, flags: number) {
      const field = state.programType === ProgramType.SOCK_OPS ? SOCK_OPS_SOCKET : 0;
      const socket = memory.view.getUint32(memory.index(context) + field, true);
      return calls.map(map, UPDATE, key, socket, flags) | 0;
    },
  });

  return [
    {
      id: 51,
      name: "redirect_map",
      parameters: ["map", "u32", "u64"] satisfies HelperParameter[],
      result: "i32",
      call: redirectMap,
    },
    byNumber(52, "sk_redirect_map"),
    byNumber(60, "msg_redirect_map"),
    byKey(71, "msg_redirect_hash"),
    byKey(72, "sk_redirect_hash"),
    {
      id: 82,
      name: "sk_select_reuseport",
      parameters: ["context", "map", "address", "u64"],
      result: "i32",
      call({ state }: HelperFrame, _context: number, map: VmMap, key: number, flags: number) {
        const socket = calls.map(map, LOOKUP, key);
        if (socket === 0) return -Errno.ENOENT;
        if (flags !== 0) return -Errno.EINVAL;
        state.assignedSocket = socket;
        return 0;
      },
    },
    putSocket(53, "sock_map_update"),
    putSocket(70, "sock_hash_update"),
  ];
}
