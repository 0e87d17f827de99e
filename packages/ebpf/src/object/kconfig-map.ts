// SPDX-License-Identifier: Apache-2.0

import type { MapSpec } from "../map-spec.ts";
import { MapType } from "../map-type.ts";
import type { VariableSpec } from "../variable-spec.ts";
import { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG } from "./data-sections.ts";
import type { KconfigVariable } from "./externs.ts";
import type { ObjectTypes } from "./object-types.ts";

/** The name of the map, which is the section's. */
export const KCONFIG = ".kconfig";

/** The map of what an object asks of the kernel's configuration: a data section that `load` fills in and freezes. */
export function kconfigMap(settings: readonly KconfigVariable[], types: ObjectTypes | undefined): MapSpec {
  const last = settings.at(-1);
  const size = last === undefined ? 0 : last.offset + last.size;
  return {
    name: KCONFIG,
    type: MapType.ARRAY,
    keySize: 4,
    valueSize: size,
    maxEntries: 1,
    flags: BPF_F_MMAPABLE | BPF_F_RDONLY_PROG,
    extra: 0n,
    pinning: "none",
    keyTypeId: 0,
    valueTypeId: types?.sections.get(KCONFIG) ?? 0,
    data: { section: KCONFIG, contents: new Uint8Array(size), readOnly: true },
  };
}

/** What values are given to and read by: variables that nobody writes once the object is loaded. */
export function kconfigVariables(settings: readonly KconfigVariable[]): VariableSpec[] {
  return settings.map(({ weak, ...place }) => ({
    ...place,
    map: KCONFIG,
    readOnly: true,
    extern: weak ? "weak" : "strong",
  }));
}
