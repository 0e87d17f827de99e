// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf.ts";
import { knownTypes } from "../known-types.ts";
import { BtfKind, type BtfType } from "../types.ts";

/** What C of any version up to C23 and GNU C keep for themselves, `true`, `false` and `bool` aside. */
const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "alignas alignof asm auto break case char const constexpr continue default do double else enum extern float for " +
    "goto if inline int long nullptr register restrict return short signed sizeof static static_assert struct switch " +
    "thread_local typedef typeof typeof_unqual union unsigned void volatile while"
  ).split(" "),
);

/** A name as C can have it: what is no letter, digit or underscore becomes one, keywords get one in front. */
export function cIdentifier(name: string): string {
  const clean = name.replaceAll(/[^A-Za-z0-9_]/g, "_").replace(/^(?=\d)/, "_");
  return KEYWORDS.has(clean) ? `_${clean}` : clean;
}

/**
 * Names for all types of a table, in the order of their ids. Structs, unions and enums share one namespace of C,
 * typedefs and enum values the other; the second that asks for a name gets the flavour `name___2` of it, so that
 * CO-RE still looks for the same type of the kernel.
 */
export class CNames {
  readonly #types = new Map<number, string>();
  readonly #values = new Map<number, readonly string[]>();

  constructor(btf: Btf) {
    const tags = new Map<string, number>();
    // The compiler's own, whose layout is another for BPF than for the kernel's machine.
    const ordinary = new Map<string, number>([["__builtin_va_list", 1]]);
    const forwards: number[] = [];
    const defined = new Map<string, string>();
    for (const [id, type] of knownTypes(btf)) {
      if ("values" in type) {
        this.#values.set(
          id,
          type.values.map((value) => take(ordinary, value.name)),
        );
      }
      if (type.name === "") continue;
      switch (type.kind) {
        case BtfKind.STRUCT:
        case BtfKind.UNION:
        case BtfKind.ENUM:
        case BtfKind.ENUM64: {
          const name = take(tags, type.name);
          this.#types.set(id, name);
          const key = `${tagOf(type)} ${type.name}`;
          if (!defined.has(key)) defined.set(key, name);
          break;
        }
        case BtfKind.TYPEDEF:
          this.#types.set(id, take(ordinary, type.name));
          break;
        case BtfKind.FWD:
          forwards.push(id);
          break;
        default:
          break;
      }
    }
    // A forward declaration means the first definition of its name; without one it is a type of its own.
    for (const id of forwards) {
      const type = btf.typeById(id);
      const key = `${tagOf(type)} ${type.name}`;
      const name = defined.get(key) ?? take(tags, type.name);
      defined.set(key, name);
      this.#types.set(id, name);
    }
  }

  /** Of a struct, union, enum, typedef or forward declaration; undefined for anonymous ones. */
  typeName(id: number): string | undefined {
    return this.#types.get(id);
  }

  /** Of the values of an enum, in its order. */
  valueNames(id: number): readonly string[] {
    return this.#values.get(id) ?? [];
  }
}

/** The keyword in front of a type's name. */
export function tagOf(type: BtfType): "struct" | "union" | "enum" {
  if (type.kind === BtfKind.UNION || (type.kind === BtfKind.FWD && type.union)) return "union";
  return type.kind === BtfKind.ENUM || type.kind === BtfKind.ENUM64 ? "enum" : "struct";
}

function take(taken: Map<string, number>, name: string): string {
  const wanted = cIdentifier(name);
  let number = (taken.get(wanted) ?? 0) + 1;
  let result = number === 1 ? wanted : `${wanted}___${number}`;
  // A flavour of that number may be a name in its own right.
  while (number > 1 && taken.has(result)) result = `${wanted}___${++number}`;
  taken.set(wanted, number);
  if (number > 1) taken.set(result, 1);
  return result;
}
