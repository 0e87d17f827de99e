// SPDX-License-Identifier: Apache-2.0

import type { BtfExtension } from "../btf/btf-ext.ts";
import type { ElfFile } from "../elf/elf-file.ts";
import type { ExternSpec } from "../extern-spec.ts";
import type { MapSpec } from "../map-spec.ts";
import type { KconfigVariable } from "./externs.ts";

/** What the steps of parsing an object share. */
export interface ObjectContext {
  readonly elf: ElfFile;
  readonly extension: BtfExtension;
  readonly license: string;
  readonly kernelVersion: number;
  /** Maps that sections declare (`.maps`, and `maps` before BTF): by section index, then by byte offset in it. */
  readonly declaredMaps: ReadonlyMap<number, ReadonlyMap<number, MapSpec>>;
  /** Maps that hold data sections, by section index. */
  readonly mapsBySection: ReadonlyMap<number, MapSpec>;
  /** What stands in `.ksyms`, by name. */
  readonly externs: ReadonlyMap<string, ExternSpec>;
  /** What stands in `.kconfig`, by name. */
  readonly settings: ReadonlyMap<string, KconfigVariable>;
}
