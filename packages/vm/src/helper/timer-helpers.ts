// SPDX-License-Identifier: Apache-2.0

import type { Helper } from "./helper.ts";
import type { TimerSet } from "./timer-set.ts";

/** `bpf_timer_*` over the timers of an engine. */
export function timerHelpers(timers: TimerSet): Helper[] {
  return [
    {
      id: 169,
      name: "timer_init",
      parameters: ["address", "map", "u64"],
      result: "i32",
      call: (_frame, address, map, flags) => timers.init(address, map, flags),
    },
    {
      id: 170,
      name: "timer_set_callback",
      parameters: ["address", "callback"],
      result: "i32",
      call: (frame, address, callback) => timers.setCallback(address, frame.bind(callback)),
    },
    {
      id: 171,
      name: "timer_start",
      parameters: ["address", "u64", "u64"],
      result: "i32",
      call: (_frame, address, nanoseconds, flags) => timers.start(address, nanoseconds, flags),
    },
    {
      id: 172,
      name: "timer_cancel",
      parameters: ["address"],
      result: "i32",
      call: (_frame, address) => timers.cancel(address),
    },
  ];
}
