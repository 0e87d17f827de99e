// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "./btf/btf.ts";
import type { ExternSpec } from "./extern-spec.ts";
import type { MapSpec } from "./map-spec.ts";
import type { ProgramSpec } from "./program-spec.ts";
import type { VariableSpec } from "./variable-spec.ts";

/** All that an object file declares, before anything touches an engine. Made by `parseObject`. */
export interface CollectionSpec {
  readonly byteOrder: "little" | "big";
  readonly programs: ReadonlyMap<string, ProgramSpec>;
  readonly maps: ReadonlyMap<string, MapSpec>;
  readonly variables: ReadonlyMap<string, VariableSpec>;
  /** What the object wants of the kernel itself (`__ksym`). */
  readonly externs: ReadonlyMap<string, ExternSpec>;
  /** The object's own types; undefined when it has no .BTF section. */
  readonly btf: Btf | undefined;
}
