// SPDX-License-Identifier: Apache-2.0

import { NotSupportedError } from "../errors.ts";
import type { Btf } from "./btf.ts";
import type { BtfType } from "./types.ts";

/**
 * The types of a table in the order of their ids, without `void` and without those of kinds that are newer than
 * ENUM64: a newer kernel's types can be told without them. Throws MalformedError for a type that contradicts itself.
 */
export function* knownTypes(btf: Btf): Generator<readonly [id: number, type: BtfType], void, undefined> {
  for (let id = 1; id < btf.typeCount; id++) {
    const type = knownType(btf, id);
    if (type !== undefined) yield [id, type];
  }
}

function knownType(btf: Btf, id: number): BtfType | undefined {
  try {
    return btf.typeById(id);
  } catch (error) {
    if (error instanceof NotSupportedError) return undefined;
    throw error;
  }
}
