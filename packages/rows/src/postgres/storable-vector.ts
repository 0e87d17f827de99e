// SPDX-License-Identifier: Apache-2.0

import type { BytesVector, ColumnType, Vector } from "@skep/ebpf";
import { addressesBetween } from "../cells/address-text.ts";
import { isAsciiBetween, isCleanText, textBetween, textsBetween } from "../cells/cell-text.ts";
import { cellEnd, cellStart, isNullCell } from "../cells/cell-value.ts";

/**
 * A vector that says the same and that PostgreSQL takes as it is: cells that mean nothing in their type marked as
 * null, text valid UTF-8 without NUL, addresses as texts. Usually the vector itself.
 */
export function storableVector(type: ColumnType, vector: Vector, length: number): Vector {
  if (type === "time" || type === "ip") return withNulls(type, vector, length);
  if (vector.kind !== "bytes") return vector;
  if (type === "addresses")
    return rewrite(vector, length, (data, start, end) => joined(addressesBetween(data, start, end)));
  if (type !== "text" && type !== "texts") return vector;
  const start = vector.offsets[0] ?? 0;
  const end = vector.offsets[length] ?? 0;
  if (isAsciiBetween(vector.data, start, end) && (type === "texts" || !vector.data.subarray(start, end).includes(0))) {
    return vector;
  }
  if (type === "texts") return rewrite(vector, length, (data, from, to) => joined(textsBetween(data, from, to)));
  return allClean(vector, length) ? vector : rewrite(vector, length, textBetween);
}

/** Texts as a `texts` cell holds them. */
function joined(texts: readonly string[]): string {
  return texts.map((text) => `${text}\0`).join("");
}

function withNulls(type: ColumnType, vector: Vector, length: number): Vector {
  let nulls: Uint8Array | undefined;
  for (let row = 0; row < length; row++) {
    if (vector.nulls?.[row] === 1 || !isNullCell(type, vector, row)) continue;
    nulls ??= vector.nulls?.slice() ?? new Uint8Array(length);
    nulls[row] = 1;
  }
  return nulls === undefined ? vector : { ...vector, nulls };
}

function allClean(vector: BytesVector, length: number): boolean {
  for (let row = 0; row < length; row++) {
    if (!isCleanText(vector.data, cellStart(vector.offsets, row), cellEnd(vector.offsets, row))) return false;
  }
  return true;
}

function rewrite(
  vector: BytesVector,
  length: number,
  textOf: (data: Uint8Array, start: number, end: number) => string,
): BytesVector {
  const offsets = new Uint32Array(length + 1);
  const cells: Buffer[] = [];
  for (let row = 0; row < length; row++) {
    const cell = Buffer.from(textOf(vector.data, cellStart(vector.offsets, row), cellEnd(vector.offsets, row)));
    cells.push(cell);
    offsets[row + 1] = (offsets[row] ?? 0) + cell.length;
  }
  return { ...vector, offsets, data: Buffer.concat(cells) };
}
