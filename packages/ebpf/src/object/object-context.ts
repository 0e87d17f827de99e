// SPDX-License-Identifier: Apache-2.0

import type { BtfExtension } from "../btf/btf-ext.ts";
import type { ElfFile, ElfSection } from "../elf/elf-file.ts";
import type { MapSpec } from "../map-spec.ts";

/** What the steps of parsing an object share. */
export interface ObjectContext {
  readonly elf: ElfFile;
  readonly extension: BtfExtension;
  readonly license: string;
  readonly kernelVersion: number;
  /** Maps of `.maps` by their byte offset in it. */
  readonly mapsByOffset: ReadonlyMap<number, MapSpec>;
  /** Maps of data sections by section index. */
  readonly mapsBySection: ReadonlyMap<number, MapSpec>;
  readonly mapsSection: ElfSection | undefined;
}
