// SPDX-License-Identifier: Apache-2.0

import { StringTable } from "../string-table.ts";

/** The strings of split BTF: offsets below the size of the base's table mean that one. */
export class SplitStringTable extends StringTable {
  readonly #base: StringTable;

  constructor(bytes: Uint8Array, place: string, base: StringTable) {
    super(bytes, place);
    this.#base = base;
  }

  override text(offset: number): string {
    const size = this.#base.bytes.length;
    return offset < size ? this.#base.text(offset) : super.text(offset - size);
  }

  override name(offset: number): string {
    const size = this.#base.bytes.length;
    return offset < size ? this.#base.name(offset) : super.name(offset - size);
  }
}
