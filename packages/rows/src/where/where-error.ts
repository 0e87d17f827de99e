// SPDX-License-Identifier: Apache-2.0

import { RowsError } from "../errors.ts";

/** A filter that cannot be read, with the place. */
export class WhereError extends RowsError {
  /** Index of the first character that does not fit, in UTF-16 code units. */
  readonly position: number;
  /** What stands there; `the end` when nothing does. */
  readonly found: string;
  /** What could have stood there. */
  readonly wanted: string;

  constructor(position: number, found: string, wanted: string) {
    super("ERR_WHERE", `where, at character ${position + 1}: found ${found}, wanted ${wanted}`);
    this.position = position;
    this.found = found;
    this.wanted = wanted;
  }
}
