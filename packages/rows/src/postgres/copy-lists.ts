// SPDX-License-Identifier: Apache-2.0

import { textEnd } from "../cells/cell-text.ts";

/** PostgreSQL's own numbers for address families (`utils/inet.h`): not those of Linux. */
const PGSQL_AF_INET = 2;
const PGSQL_AF_INET6 = 3;

/** Object id of the type text, the same in every database. */
const TEXT_OID = 25;

/** Number of dimensions, flags, element type; what an empty array consists of. */
const ARRAY_HEADER_BYTES = 12;

/** Size and lower bound of the only dimension. */
const DIMENSION_BYTES = 8;

const LENGTH_BYTES = 4;

/** Writes an inet: family, prefix length, not a cidr, number of bytes, and these. */
export function writeInet(
  data: Uint8Array,
  start: number,
  end: number,
  out: Buffer,
  _view: DataView,
  at: number,
): void {
  const length = end - start;
  out[at] = length === 4 ? PGSQL_AF_INET : PGSQL_AF_INET6;
  out[at + 1] = length * 8;
  out[at + 2] = 0;
  out[at + 3] = length;
  for (let index = 0; index < length; index++) out[at + 4 + index] = data[start + index] ?? 0;
}

/** Bytes of a `texts` cell as text[]. */
export function textArrayBytes(data: Uint8Array, start: number, end: number): number {
  if (start === end) return ARRAY_HEADER_BYTES;
  let bytes = ARRAY_HEADER_BYTES + DIMENSION_BYTES;
  for (let at = start; at < end; ) {
    const next = textEnd(data, at, end);
    bytes += LENGTH_BYTES + next - at;
    at = next + 1;
  }
  return bytes;
}

/** Writes a `texts` cell as text[]: one dimension counted from 1, or none when it is empty. */
export function writeTextArray(
  data: Uint8Array,
  start: number,
  end: number,
  out: Buffer,
  view: DataView,
  at: number,
): void {
  view.setInt32(at, start === end ? 0 : 1);
  view.setInt32(at + 4, 0);
  view.setInt32(at + 8, TEXT_OID);
  if (start === end) return;
  let to = at + ARRAY_HEADER_BYTES + DIMENSION_BYTES;
  let count = 0;
  for (let from = start; from < end; count++) {
    const lengthAt = to;
    to += LENGTH_BYTES;
    let code = data[from++] ?? 0;
    while (code !== 0) {
      out[to++] = code;
      if (from >= end) break;
      code = data[from++] ?? 0;
    }
    view.setInt32(lengthAt, to - lengthAt - LENGTH_BYTES);
  }
  view.setInt32(at + ARRAY_HEADER_BYTES, count);
  view.setInt32(at + ARRAY_HEADER_BYTES + 4, 1);
}
