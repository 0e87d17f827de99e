// SPDX-License-Identifier: Apache-2.0

import type { BtfTable } from "./btf-table.ts";
import { essentialName } from "./essential-name.ts";
import { isIndexed, type NameIndexed } from "./name-index.ts";

/** Finds the types of split BTF by name. Modules have a few thousand, whose names may be strings of the base. */
export class SmallNameIndex {
  readonly #exact = new Map<string, number[]>();
  readonly #essential = new Map<string, number[]>();

  constructor(btf: BtfTable, indexed: NameIndexed) {
    for (let id = btf.firstId; id < btf.typeCount; id++) {
      const name = btf.strings.name(btf.wordOf(id, 0));
      if (name === "" || !isIndexed(btf.kindOf(id), indexed)) continue;
      put(this.#exact, name, id);
      put(this.#essential, essentialName(name), id);
    }
  }

  /** Ids of its own types with exactly this name, ascending. */
  exact(name: string): readonly number[] {
    return this.#exact.get(name) ?? [];
  }

  /** Ids of its own types whose name without a flavour is that of `name`, ascending. */
  essential(name: string): readonly number[] {
    return this.#essential.get(essentialName(name)) ?? [];
  }
}

function put(index: Map<string, number[]>, name: string, id: number): void {
  const ids = index.get(name);
  if (ids === undefined) index.set(name, [id]);
  else ids.push(id);
}
