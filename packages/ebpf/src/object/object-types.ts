// SPDX-License-Identifier: Apache-2.0

import type { BtfTable } from "../btf/btf-table.ts";
import { BtfKind, type BtfVariable } from "../btf/types.ts";

/** The types of an object that its symbols and sections lead to, by name. */
export interface ObjectTypes {
  readonly btf: BtfTable;
  /** Variables; of several with a name the global one, or else the first. */
  readonly variables: ReadonlyMap<string, BtfVariable>;
  /** Type ids of data sections. */
  readonly sections: ReadonlyMap<string, number>;
}

/**
 * Collects them in one pass. The name index of {@link BtfTable} would do for a few names; for as many as a hostile
 * object has symbols, with names of its choosing, its chains would be walked again and again.
 */
export function readObjectTypes(btf: BtfTable): ObjectTypes {
  const variables = new Map<string, BtfVariable>();
  const sections = new Map<string, number>();
  for (let id = 1; id < btf.typeCount; id++) {
    const kind = btf.kindOf(id);
    if (kind === BtfKind.VAR) {
      const variable = btf.typeById(id) as BtfVariable;
      const known = variables.get(variable.name);
      if (known === undefined || (known.linkage !== "global" && variable.linkage === "global")) {
        variables.set(variable.name, variable);
      }
    } else if (kind === BtfKind.DATASEC) {
      sections.set(btf.strings.name(btf.wordOf(id, 0)), id);
    }
  }
  return { btf, variables, sections };
}
