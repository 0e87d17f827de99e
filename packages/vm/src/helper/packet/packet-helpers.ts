// SPDX-License-Identifier: Apache-2.0

import type { VmMemory } from "../../memory/vm-memory.ts";
import type { RunRoom } from "../../run/run-room.ts";
import type { Helper } from "../helper.ts";
import type { RuntimeCalls } from "../runtime-calls.ts";
import { messageHelpers } from "./message-helpers.ts";
import type { VmNetwork } from "./packet-world.ts";
import { redirectMapHelpers } from "./redirect-map-helpers.ts";
import { routeHelpers } from "./route-helpers.ts";
import { skbHelpers } from "./skb-helpers.ts";
import { sockOpsHelpers } from "./sock-ops-helpers.ts";
import { socketHelpers } from "./socket-helpers.ts";
import type { SocketTable } from "./socket-table.ts";
import { tunnelHelpers } from "./tunnel-helpers.ts";

/** What the helpers of packets stand on. */
export interface PacketGround {
  readonly memory: VmMemory;
  readonly calls: RuntimeCalls;
  /** Of the worker. */
  readonly room: RunRoom;
  readonly network: VmNetwork;
  readonly sockets: SocketTable;
}

/** The helpers of packets and sockets in JavaScript; `packetRuntimeHelpers` has those in C. */
export function packetHelpers({ memory, calls, room, network, sockets }: PacketGround): Helper[] {
  return [
    ...skbHelpers(network, room),
    ...routeHelpers(network),
    ...tunnelHelpers(room),
    ...messageHelpers(room),
    ...redirectMapHelpers(memory, calls),
    ...socketHelpers(network, sockets),
    ...sockOpsHelpers(memory, sockets),
  ];
}
