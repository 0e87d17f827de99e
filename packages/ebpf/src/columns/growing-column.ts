// SPDX-License-Identifier: Apache-2.0

import type { BytesVector } from "../vector.ts";
import { BytesBuilder } from "./bytes-builder.ts";

/** Remembers how long a column's rows are, so that the next batch's data is usually allocated once. */
export class GrowingColumn {
  /** Bytes a row. */
  #expected: number;

  readonly #most: number;

  /** The most bytes that a row usually has, and how many to expect before the first batch. */
  constructor(most: number, expected: number) {
    this.#most = most;
    this.#expected = Math.min(most, expected);
  }

  begin(rows: number): BytesBuilder {
    return new BytesBuilder(rows, Math.ceil(rows * this.#expected));
  }

  finish(builder: BytesBuilder): BytesVector {
    if (builder.rows > 0) this.#expected = Math.min(this.#most, (1.25 * builder.length) / builder.rows);
    return builder.finish();
  }
}
