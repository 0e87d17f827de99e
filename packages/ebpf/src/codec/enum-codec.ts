// SPDX-License-Identifier: Apache-2.0

import type { BtfEnum } from "../btf/types.ts";
import { EncodeProblem } from "./encode-problem.ts";
import { didYouMean } from "./nearest.ts";
import type { ValueCodec } from "./value-codec.ts";

/**
 * Labels of an enum by value, a number where that is exact. Values are cut to the enum's width first: compilers
 * differ in whether they write the values of an unsigned enum with a sign. The first of several labels wins.
 */
export function enumLabels(type: BtfEnum): ReadonlyMap<number | bigint, string> {
  const labels = new Map<number | bigint, string>();
  for (const { name, value } of type.values) {
    const key = exact((type.signed ? BigInt.asIntN : BigInt.asUintN)(type.size * 8, BigInt(value)));
    if (!labels.has(key)) labels.set(key, name);
  }
  return labels;
}

/** Labels over the integer that holds them: a value without a label stays a number (a bigint when it must). */
export function enumCodec(type: BtfEnum, integer: ValueCodec): ValueCodec {
  const labels = enumLabels(type);
  const values = new Map(type.values.map(({ name, value }) => [name, value]));
  const cut = type.signed ? BigInt.asIntN : BigInt.asUintN;
  return {
    size: integer.size,
    cells: 1,
    read: (view, at) => {
      const value = integer.read(view, at);
      const key = typeof value === "bigint" ? exact(value) : (value as number);
      return labels.get(key) ?? key;
    },
    write: (value, view, at) => {
      if (typeof value !== "string") return integer.write(value, view, at);
      const known = values.get(value);
      if (known === undefined) {
        const name = type.name === "" ? "the enum" : `enum ${type.name}`;
        throw new EncodeProblem(`"${value}" is not in ${name}${didYouMean(value, values.keys())}`);
      }
      integer.write(cut(type.size * 8, BigInt(known)), view, at);
    },
  };
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
