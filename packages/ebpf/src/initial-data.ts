// SPDX-License-Identifier: Apache-2.0

import { codecFor } from "./codec-for.ts";
import type { CollectionSpec } from "./collection-spec.ts";
import { InvalidValueError, NotFoundError, SkepError } from "./errors.ts";
import type { MapSpec } from "./map-spec.ts";
import type { VariableSpec } from "./variable-spec.ts";

/**
 * The maps of a spec with variables set in the data sections that hold them. Sections that are written are
 * copied first, the spec stays as it is. Variables without a type in BTF take bytes of their exact size.
 *
 * Throws NotFoundError for a variable that the object lacks, InvalidValueError naming the variable for a value
 * that does not fit.
 */
export function withVariables(spec: CollectionSpec, values: Readonly<Record<string, unknown>>): Map<string, MapSpec> {
  const maps = new Map(spec.maps);
  const written = new Set<string>();
  for (const [name, value] of Object.entries(values)) {
    const variable = spec.variables.get(name);
    if (variable === undefined) throw new NotFoundError("variable", name, spec.variables.keys());
    const map = maps.get(variable.map);
    if (map?.data === undefined) throw new NotFoundError("data section", variable.map, maps.keys());
    let { contents } = map.data;
    if (!written.has(map.name)) {
      contents = contents.slice();
      maps.set(map.name, {
        ...map,
        data: { section: map.data.section, readOnly: map.data.readOnly, contents },
      });
      written.add(map.name);
    }
    write(spec, variable, value, contents);
  }
  return maps;
}

function write(spec: CollectionSpec, variable: VariableSpec, value: unknown, contents: Uint8Array): void {
  if (spec.btf === undefined || variable.typeId === 0) {
    if (!(value instanceof Uint8Array) || value.length !== variable.size) {
      throw new InvalidValueError(
        `variable "${variable.name}" has no type: it takes ${variable.size} bytes as a Uint8Array`,
      );
    }
    contents.set(value, variable.offset);
    return;
  }
  try {
    codecFor(spec.btf, variable.typeId).encode(value, contents, variable.offset);
  } catch (cause) {
    if (!(cause instanceof SkepError)) throw cause;
    throw new InvalidValueError(`variable "${variable.name}": ${cause.message}`, { cause });
  }
}
