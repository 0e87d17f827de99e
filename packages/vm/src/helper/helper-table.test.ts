// SPDX-License-Identifier: Apache-2.0

import { helperName } from "@skep/ebpf";
import { describe, expect, test } from "vitest";
import { mapHelpers, TAIL_CALL } from "../code/map-helpers.ts";
import { VmMemory } from "../memory/vm-memory.ts";
import { RunRoom } from "../run/run-room.ts";
import { RunState } from "../run/run-state.ts";
import { helperRefusal, helpersWithoutMaps, meaninglessHelpers } from "./helper-table.ts";
import { packetHelpers } from "./packet/packet-helpers.ts";
import { packetRuntimeHelpers } from "./packet/runtime-packet-helpers.ts";
import { SocketTable } from "./packet/socket-table.ts";
import { runtimeHelperFunctions } from "./runtime-helpers.ts";
import { standardHelpers } from "./standard-helpers.ts";
import { nobody } from "./task-helpers.ts";
import { platformClock } from "./time-helpers.ts";
import { TimerSet } from "./timer-set.ts";

/** The last number of the UAPI. */
const LAST = 211;
/** bpf_perf_event_output, bpf_ringbuf_submit and bpf_ringbuf_discard: the maps' own, though r1 is no map. */
const recordHelpers = [25, 132, 133];

test("every helper of the UAPI is somebody's, and nobody else's", () => {
  const memory = new VmMemory({ size: 1 << 20, addressBits: 32, shared: false, regions: true });
  const calls = { map: () => 0, helper: () => 0 };
  const timers = new TimerSet({ memory, clock: platformClock, calls, failed: () => undefined });
  const ground = { memory, clock: platformClock, task: nobody, trace: () => undefined, calls, timers };
  const room = new RunRoom(memory, new RunState(memory, 0));
  const helpers = [
    ...standardHelpers(ground),
    ...packetHelpers({ memory, calls, room, network: {}, sockets: new SocketTable(memory) }),
  ];
  for (const { id, name } of helpers) expect([id, name]).toEqual([id, helperName(id)]);
  const numbers = [
    ...helpers.map(({ id }) => id),
    ...runtimeHelperFunctions().keys(),
    ...mapHelpers.keys(),
    ...recordHelpers,
    TAIL_CALL,
    ...packetRuntimeHelpers().keys(),
    ...helpersWithoutMaps,
    ...meaninglessHelpers,
  ];
  expect(helperName(LAST)).toBeDefined();
  expect(helperName(LAST + 1)).toBeUndefined();
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: LAST }, (_, i) => i + 1));
});

describe("helperRefusal", () => {
  test("says what a helper without a meaning is about", () => {
    expect(helperRefusal(58)).toBe(
      "bpf_override_return has no meaning without a kernel: it is about the results of kernel functions",
    );
    expect(helperRefusal(109)).toBe(
      "bpf_send_signal has no meaning without a kernel: it is about signals to a process",
    );
    expect(helperRefusal(209)).toBe(
      "bpf_user_ringbuf_drain wants a map of type user_ringbuf, which the engine does not have",
    );
    for (const id of meaninglessHelpers) expect(helperRefusal(id)).toContain(`bpf_${helperName(id)} has no meaning`);
  });

  test("knows the numbers that no kernel has", () => {
    expect(helperRefusal(0)).toBe("no kernel has a helper of number 0, and the host has none");
    expect(helperRefusal(212)).toBe("no kernel has a helper of number 212, and the host has none");
  });
});
