// SPDX-License-Identifier: Apache-2.0

import type { BtfTable } from "./btf-table.ts";
import { BtfKind } from "./types.ts";

const OPEN = 1;
const DONE = 2;

/**
 * Throws MalformedError when a struct or union holds itself by value, directly or through others and arrays.
 *
 * A depth-first search over members. `state` has a byte for each type and is kept between calls, so that every type
 * is searched once.
 */
export function refuseEndless(btf: BtfTable, id: number, state: Uint8Array): void {
  if (state[id] === DONE) return;
  const path = [{ id, member: 0 }];
  state[id] = OPEN;
  try {
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      if (top.member === (btf.wordOf(top.id, 1) & 0xff_ffff)) {
        state[top.id] = DONE;
        path.pop();
        continue;
      }
      const inner = innermost(btf, btf.wordOf(top.id, 4 + top.member * 3));
      top.member++;
      const kind = btf.kindOf(inner);
      if (kind !== BtfKind.STRUCT && kind !== BtfKind.UNION) continue;
      if (state[inner] === OPEN) throw btf.malformed(inner, "it holds itself");
      if (state[inner] === DONE) continue;
      state[inner] = OPEN;
      path.push({ id: inner, member: 0 });
    }
  } finally {
    // After an error the types on the path are as unknown as before.
    for (const { id: open } of path) state[open] = 0;
  }
}

/** What a member is made of, behind typedefs and arrays. */
function innermost(btf: BtfTable, id: number): number {
  // Measuring refuses arrays of themselves.
  btf.sizeOf(id);
  let type = btf.resolve(id);
  while (btf.kindOf(type) === BtfKind.ARRAY) type = btf.resolve(btf.wordOf(type, 3));
  return type;
}
