// SPDX-License-Identifier: Apache-2.0

import { type FunctionWriter, Slot, type WriteBlock } from "./function-writer.ts";
import { HASH_KEYS } from "./fuzz-maps.ts";

const Helper = { LOOKUP: 1, UPDATE: 2, DELETE: 3, PUSH: 87, POP: 88, PEEK: 89 } as const;
const STW = 0x62;
const STXW = 0x63;
const JEQ = 0x15;
const JNE = 0x55;

/** A pointer to the value that needs no lookup, or one that was looked up and a block that uses it. */
export function writeMapPointer(f: FunctionWriter, writeBlock: WriteBlock): void {
  if (f.random.below(3) === 0) {
    const register = f.target();
    const at = 8 * f.random.below(8);
    f.map(register, "direct", at);
    f.set(register, { kind: "memory", of: "value", before: at, room: 64 - at });
    return;
  }
  if (f.depth >= 4) return;
  const hash = f.random.below(2) === 0;
  writeKey(f, hash);
  f.map(1, hash ? "hash" : "array");
  f.stackAddress(2, Slot.KEY);
  f.helper(Helper.LOOKUP);
  const missing = f.label();
  const value = { kind: "memory", of: hash ? "hash" : "value", before: 0, room: 16 } as const;
  if (f.random.below(2) === 0) {
    f.set(0, undefined);
    f.emit({ opcode: JEQ, destination: 0, immediate: 0, target: missing });
    f.open(missing);
  } else {
    const found = f.label();
    f.set(0, undefined);
    f.emit({ opcode: JNE, destination: 0, immediate: 0, target: found });
    f.open(found);
    f.open(missing);
    f.jump(missing);
    f.close(found, false);
  }
  f.set(0, value);
  if (f.random.below(2) === 0) f.move(f.target(0), 0);
  f.depth++;
  writeBlock(f, 1 + f.random.below(4));
  f.depth--;
  f.close(missing);
}

/** An update or a deletion, with each of the modes. */
export function writeMapCall(f: FunctionWriter): void {
  const hash = f.random.below(3) !== 0;
  const remove = f.random.below(3) === 0;
  writeKey(f, hash);
  if (!remove) writeSource(f, 3, 16);
  f.map(1, hash ? "hash" : "array");
  f.stackAddress(2, Slot.KEY);
  if (!remove) f.moveImmediate(4, f.random.pick([0, 0, 0, 1, 2, 3]));
  f.helper(remove ? Helper.DELETE : Helper.UPDATE);
  if (hash) f.forget("hash");
}

/** Something for a queue or a stack. */
export function writeQueueCall(f: FunctionWriter): void {
  const helper = f.random.pick([Helper.PUSH, Helper.PUSH, Helper.POP, Helper.PEEK]);
  writeSource(f, 2, 8);
  f.map(1, f.random.pick(["queue", "stack"]));
  if (helper === Helper.PUSH) f.moveImmediate(3, f.random.pick([0, 0, 2, 1]));
  f.helper(helper);
}

/** Makes a register point at so many bytes of the stack, or of the value that is always there. */
export function writeSource(f: FunctionWriter, register: number, size: number): void {
  const { from, to } = f.window;
  const places = (to - from - size) / 8 + 1;
  if (f.random.below(4) === 0) f.map(register, "direct", 8 * f.random.below((64 - size) / 8 + 1));
  else f.stackAddress(register, from + 8 * f.random.below(Math.floor(places)));
}

/** A key of an array (which may be beyond its end) or of the hash, where keys lie. */
function writeKey(f: FunctionWriter, hash: boolean): void {
  if (f.random.below(2) === 0) {
    f.emit({ opcode: STW, destination: 10, offset: Slot.KEY, immediate: f.random.below(hash ? HASH_KEYS : 6) });
    return;
  }
  const source = f.variable();
  f.mask(source, 7);
  f.emit({ opcode: STXW, destination: 10, source, offset: Slot.KEY });
}
