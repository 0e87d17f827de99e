// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import type { FunctionWriter, WriteBlock } from "./function-writer.ts";
import { writeArithmetic } from "./write-arithmetic.ts";
import { writeCall, writeCallback, writeTailCall } from "./write-calls.ts";
import { writeBranch, writeEarlyExit, writeLeap, writeLoop, writeShuffle } from "./write-flow.ts";
import { writeMapCall, writeMapPointer, writeQueueCall } from "./write-maps.ts";
import { writeAccess, writeAtomic, writePointer } from "./write-memory.ts";
import { writeContextAccess, writePacketCall, writePacketLoad, writePacketPointer } from "./write-packet.ts";

/** What writes a piece of program, and how often it is chosen. */
type Piece = readonly [write: (f: FunctionWriter, writeBlock: WriteBlock) => void, weight: number];

const ANYWHERE: readonly Piece[] = [
  [writeArithmetic, 60],
  [writeAccess, 36],
  [writeAtomic, 22],
  [writePointer, 5],
  [writeBranch, 20],
  [writeLeap, 6],
  [writeLoop, 4],
  [writeShuffle, 2],
  [writeEarlyExit, 1],
  [writeCall, 4],
  [writeCallback, 2],
  [writeMapPointer, 7],
  [writeMapCall, 6],
  [writeQueueCall, 2],
];
const WITH_CONTEXT: readonly Piece[] = [
  ...ANYWHERE,
  [writePacketPointer, 7],
  [writePacketCall, 4],
  [writeContextAccess, 4],
];
const WITH_BUFFER: readonly Piece[] = [...WITH_CONTEXT, [writePacketLoad, 12]];
const MAIN: readonly Piece[] = [[writeTailCall, 1]];

/** Some pieces of program, one after the other. */
export function writeBlock(f: FunctionWriter, pieces: number): void {
  const { plan, program } = f;
  const base = !plan.hasContext ? ANYWHERE : program.type === ProgramType.XDP ? WITH_CONTEXT : WITH_BUFFER;
  const choices = f.isMain ? [...base, ...MAIN] : base;
  const total = choices.reduce((sum, [, weight]) => sum + weight, 0);
  for (let i = 0; i < pieces && f.budget > 0; i++) {
    let at = f.random.below(total);
    for (const [write, weight] of choices) {
      at -= weight;
      if (at >= 0) continue;
      write(f, writeBlock);
      break;
    }
  }
}
