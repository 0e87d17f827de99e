// SPDX-License-Identifier: Apache-2.0

import type { BtfTable } from "../btf/btf-table.ts";
import { readBtfTable } from "../btf/read-btf.ts";
import { BtfKind } from "../btf/types.ts";
import type { ElfFile, ElfSection } from "../elf/elf-file.ts";
import { readElf } from "../elf/read-elf.ts";
import { MalformedError, NotSupportedError } from "../errors.ts";

/** An object to link. */
export interface ObjectInput {
  /** What messages call it: its file's name. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A global variable or function as an object's BTF describes it. */
export interface SymbolType {
  /** Of its VAR or FUNC. */
  readonly id: number;
  readonly kind: typeof BtfKind.VAR | typeof BtfKind.FUNC;
  /** What the VAR or FUNC is of. */
  readonly type: number;
  /** Its data section; empty when it is in none, as functions and plain externs are. */
  section: string;
}

/** An object that was read. */
export interface LinkInput {
  readonly name: string;
  readonly elf: ElfFile;
  readonly btf: BtfTable | undefined;
  readonly extension: ElfSection | undefined;
  /** What BTF says of what is not static, by name. */
  readonly types: ReadonlyMap<string, SymbolType>;
}

/** Reads an object; errors begin with its name. */
export function readInput({ name, bytes }: ObjectInput): LinkInput {
  return naming(name, () => {
    const elf = readElf(bytes);
    const types = elf.sections.find((section) => section.name === ".BTF");
    const btf = types === undefined ? undefined : readBtfTable(types.bytes);
    if (btf !== undefined && btf.byteOrder !== elf.byteOrder) {
      throw new MalformedError(
        ".BTF",
        undefined,
        `it is ${btf.byteOrder}-endian, the object is ${elf.byteOrder}-endian`,
      );
    }
    const extension = elf.sections.find((section) => section.name === ".BTF.ext");
    return { name, elf, btf, extension, types: btf === undefined ? new Map() : symbolTypes(btf) };
  });
}

/** Runs a step that concerns one object, whose name its errors are to begin with. */
export function naming<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof NotSupportedError) {
      throw new NotSupportedError(`${name}: ${cause.feature}`, cause.minimumVersion, { cause });
    }
    if (cause instanceof MalformedError) throw new MalformedError(name, undefined, cause.message, { cause });
    throw cause;
  }
}

function symbolTypes(btf: BtfTable): Map<string, SymbolType> {
  const types = new Map<string, SymbolType>();
  const byId = new Map<number, SymbolType>();
  for (let id = 1; id < btf.typeCount; id++) {
    const kind = btf.kindOf(id);
    if (kind !== BtfKind.VAR && kind !== BtfKind.FUNC) continue;
    const type = btf.typeById(id);
    if ((type.kind !== BtfKind.VAR && type.kind !== BtfKind.FUNC) || type.linkage === "static") continue;
    if (types.has(type.name)) continue;
    const entry: SymbolType = { id, kind: type.kind, type: type.type, section: "" };
    types.set(type.name, entry);
    byId.set(id, entry);
  }
  for (let id = 1; id < btf.typeCount; id++) {
    const section = btf.kindOf(id) === BtfKind.DATASEC ? btf.typeById(id) : undefined;
    if (section?.kind !== BtfKind.DATASEC) continue;
    for (const { type } of section.variables) {
      const entry = byId.get(type);
      if (entry !== undefined) entry.section = section.name;
    }
  }
  return types;
}
