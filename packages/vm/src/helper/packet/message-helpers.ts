// SPDX-License-Identifier: Apache-2.0

import type { RunRoom } from "../../run/run-room.ts";
import { Errno } from "../errno.ts";
import type { Helper, HelperFrame } from "../helper.ts";

const ENOMEM = 12;
/** Of `struct sk_msg_md`. */
const Field = { DATA: 0, DATA_END: 8, SIZE: 68 } as const;

/**
 * Helpers of messages. A message lies in one piece: `bpf_msg_pull_data` moves the program's window over it, the others show all
 * of it again.
 */
export function messageHelpers(room: RunRoom): Helper[] {
  const { memory, state } = room;
  const { view, bytes } = memory;
  const size = (): number => view.getUint32(memory.index(state.context) + Field.SIZE, true);

  const show = (first: number, end: number): void => {
    room.moveBounds(first, end);
    const at = memory.index(state.context);
    view.setUint32(at + Field.DATA, first, true);
    view.setUint32(at + Field.DATA_END, end, true);
  };

  const resize = (length: number): void => {
    view.setUint32(memory.index(state.context) + Field.SIZE, length, true);
    show(state.macHeader, state.macHeader + length);
  };

  const numbers = (id: number, name: string, call: (a: number, b: number, flags: number) => number): Helper => ({
    id,
    name,
    parameters: ["context", "u32", "u32", "u64"],
    result: "i32",
    call: (_frame: HelperFrame, _context: number, a: number, b: number, flags: number) => call(a, b, flags),
  });

  const number = (id: number, name: string, call: (value: number) => void): Helper => ({
    id,
    name,
    parameters: ["context", "u32"],
    result: "i32",
    call(_frame: HelperFrame, _context: number, value: number) {
      call(value);
      return 0;
    },
  });

  return [
    number(61, "msg_apply_bytes", (applyBytes) => {
      room.message = { ...room.message, applyBytes };
    }),
    number(62, "msg_cork_bytes", (corkBytes) => {
      room.message = { ...room.message, corkBytes };
    }),
    numbers(63, "msg_pull_data", (start, end, flags) => {
      if (flags !== 0 || end <= start || end > size()) return -Errno.EINVAL;
      show(state.macHeader + start, state.macHeader + end);
      return 0;
    }),
    numbers(90, "msg_push_data", (start, length, flags) => {
      const before = size();
      if (flags !== 0) return -Errno.EINVAL;
      if (length === 0) return 0;
      if (start > before) return -Errno.EINVAL;
      if (state.macHeader + before + length > state.packetEnd) return -ENOMEM;
      const at = memory.index(state.macHeader);
      bytes.copyWithin(at + start + length, at + start, at + before);
      bytes.fill(0, at + start, at + start + length);
      resize(before + length);
      return 0;
    }),
    numbers(91, "msg_pop_data", (start, length, flags) => {
      const before = size();
      if (flags !== 0) return -Errno.EINVAL;
      if (length === 0) return 0;
      if (start + length > before) return -Errno.EINVAL;
      const at = memory.index(state.macHeader);
      bytes.copyWithin(at + start, at + start + length, at + before);
      resize(before - length);
      return 0;
    }),
  ];
}
