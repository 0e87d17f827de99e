// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import type { VmMemory } from "../../memory/vm-memory.ts";
import { Errno } from "../errno.ts";
import type { Helper, HelperFrame } from "../helper.ts";
import type { SocketTable } from "./socket-table.ts";
import type { VirtualSocket } from "./virtual-socket.ts";

/** BPF_SOCK_OPS_ALL_CB_FLAGS */
const ALL_CALLBACKS = 0x7f;
/** Of `struct bpf_sock_ops`. */
const CB_FLAGS = 84;
const ENOPROTOOPT = 92;
/** Where contexts have their socket. */
const socketField: ReadonlyMap<number, number> = new Map([
  [ProgramType.SOCK_OPS, 184],
  [ProgramType.CGROUP_SOCK_ADDR, 64],
  [ProgramType.CGROUP_SOCKOPT, 0],
]);

/** What programs of sockets set on them: kept by the virtual socket, where the host finds it. */
export function sockOpsHelpers(memory: VmMemory, sockets: SocketTable): Helper[] {
  const socketOf = ({ state }: HelperFrame, address: number): VirtualSocket | undefined => {
    const field = address === state.context ? socketField.get(state.programType) : undefined;
    return sockets.byAddress(
      field === undefined ? address : memory.view.getUint32(memory.index(address) + field, true),
    );
  };
  return [
    {
      id: 49,
      name: "setsockopt",
      parameters: ["address", "i32", "i32", { readSized: 4 }, "u32"],
      result: "i32",
      call(frame: HelperFrame, address: number, level: number, name: number, value: Uint8Array) {
        const socket = socketOf(frame, address);
        if (socket === undefined) return -Errno.EINVAL;
        socket.settings.set(`${level}:${name}`, value.slice());
        return 0;
      },
    },
    {
      id: 57,
      name: "getsockopt",
      parameters: ["address", "i32", "i32", { writeSized: 4 }, "u32"],
      result: "i32",
      call(frame: HelperFrame, address: number, level: number, name: number, to: Uint8Array) {
        to.fill(0);
        const value = socketOf(frame, address)?.settings.get(`${level}:${name}`);
        if (value === undefined) return -ENOPROTOOPT;
        if (value.length > to.length) return -Errno.EINVAL;
        to.set(value);
        return 0;
      },
    },
    {
      id: 59,
      name: "sock_ops_cb_flags_set",
      parameters: ["context", "i32"],
      result: "i32",
      call({ memory: { view }, state }: HelperFrame, _context: number, flags: number) {
        view.setUint32(memory.index(state.context) + CB_FLAGS, flags & ALL_CALLBACKS, true);
        // The flags that there are not.
        return flags & ~ALL_CALLBACKS;
      },
    },
  ];
}
