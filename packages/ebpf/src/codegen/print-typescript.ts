// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { knownTypes } from "../btf/known-types.ts";
import { BtfKind } from "../btf/types.ts";
import { TypeScriptTypes, typeScriptOf } from "./typescript-types.ts";

/** What to print. */
export interface PrintTypeScriptOptions {
  /** Ids of the types to print with all that they hold; all named structs, unions and enums unless given. */
  readonly types?: Iterable<number>;
}

/**
 * Types as TypeScript: interfaces of what `codecFor` makes of them. Integers to 32 bits are `number`, wider ones
 * and pointers `bigint`, `char[]` is `string`, `__u8[]` is `Uint8Array`, an enum is its labels. Erasable syntax.
 *
 * Throws MalformedError for types without values, such as functions.
 */
export function printTypeScript(btf: Btf, options: PrintTypeScriptOptions = {}): string {
  const types = new TypeScriptTypes(btf);
  for (const id of options.types ?? namedTypes(btf)) types.reference(id);
  return types.declared.map(typeScriptOf).join("\n");
}

function namedTypes(btf: Btf): number[] {
  const ids: number[] = [];
  for (const [id, type] of knownTypes(btf)) {
    switch (type.kind) {
      case BtfKind.STRUCT:
      case BtfKind.UNION:
      case BtfKind.ENUM:
      case BtfKind.ENUM64:
        if (type.name !== "") ids.push(id);
        break;
      default:
        break;
    }
  }
  return ids;
}
