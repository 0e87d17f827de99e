// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { BtfBuilder } from "../btf/btf-builder.ts";
import { mapReferences } from "../btf/map-references.ts";
import { BtfKind } from "../btf/types.ts";

/**
 * The first `limit` types that the types of these names lead to, breadth first, as BTF of their own. Those that are
 * left out become `void`, so that some of what held them is as broken as a mutation makes it.
 */
export function btfSubset(btf: Btf, names: readonly string[], limit: number): Uint8Array {
  const places = new Map<number, number>([[0, 0]]);
  const queue: number[] = [];
  const add = (id: number): void => {
    if (places.has(id) || queue.length === limit) return;
    queue.push(id);
    places.set(id, queue.length);
  };
  for (const name of names) for (const id of btf.idsByName(name)) add(id);
  for (const id of queue) {
    const type = btf.typeById(id);
    if (type.kind === BtfKind.VOID) continue;
    mapReferences(type, (reference) => {
      add(reference);
      return reference;
    });
  }
  const builder = new BtfBuilder(btf.byteOrder);
  for (const id of queue) builder.add(mapReferences(btf.typeById(id), (reference) => places.get(reference) ?? 0));
  return builder.build();
}
