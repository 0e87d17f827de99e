// SPDX-License-Identifier: Apache-2.0

import { aluEmitters } from "./emit-alu.ts";
import { callEmitters } from "./emit-call.ts";
import { jumpEmitters } from "./emit-jump.ts";
import { memoryEmitters } from "./emit-memory.ts";
import { packetEmitters } from "./emit-packet.ts";
import type { FunctionWriter } from "./function-writer.ts";

/**
 * Writes the WebAssembly of the instruction at a slot. Of conditional jumps it writes the condition alone, which leaves 0 or
 * 1 on the stack.
 */
export type Emit = (writer: FunctionWriter, slot: number) => void;

/** The translation of each opcode, by its number. */
export type Emitters = (Emit | undefined)[];

/** What eBPF instructions mean in WebAssembly: a new table, so that a test can change an entry of its own. */
export function standardEmitters(): Emitters {
  const table: Emitters = Array.from({ length: 256 }, () => undefined);
  aluEmitters(table);
  jumpEmitters(table);
  memoryEmitters(table);
  callEmitters(table);
  packetEmitters(table);
  return table;
}
