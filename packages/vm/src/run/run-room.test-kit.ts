// SPDX-License-Identifier: Apache-2.0

import { contextLayout } from "../context/layout-for.ts";
import { VmMemory } from "../memory/vm-memory.ts";
import { ProgramInput } from "./program-input.ts";
import { RunRoom } from "./run-room.ts";
import { RunState } from "./run-state.ts";

/** A room in a memory of its own, with region checks. */
export function testRoom(): RunRoom {
  const memory = new VmMemory({ size: 1 << 20, addressBits: 32, shared: false, regions: true });
  return new RunRoom(memory, new RunState(memory, 0));
}

/** The input of programs of a type in a room. */
export function inputOf(room: RunRoom, type: number, attachType?: number): ProgramInput {
  return new ProgramInput(room, contextLayout(type, attachType));
}

/** A 32-bit field of the context at hand. */
export function contextWord(room: RunRoom, offset: number): number {
  return room.memory.view.getUint32(room.memory.index(room.context) + offset, true);
}

/** An Ethernet frame with an IPv4 packet in it, 54 bytes. */
export const ipv4Frame: Uint8Array<ArrayBuffer> = Uint8Array.from([
  ...[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00],
  ...[0x45, 0, 0, 40, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2],
  ...[0x04, 0xd2, 0, 53, 0, 20, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
]);

/** An Ethernet frame to everybody with an IPv6 packet in it, 62 bytes. */
export const ipv6Frame: Uint8Array<ArrayBuffer> = Uint8Array.from([
  ...[255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x86, 0xdd],
  ...[0x60, 0, 0, 0, 0, 8, 17, 64],
  ...[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
  ...[0x04, 0xd2, 0, 53, 0, 8, 0, 0],
]);
