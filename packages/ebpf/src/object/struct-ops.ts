// SPDX-License-Identifier: Apache-2.0

import { type BtfComposite, type BtfDataSection, BtfKind, type BtfMember, type BtfVariable } from "../btf/types.ts";
import {
  type ElfFile,
  type ElfRelocation,
  type ElfSection,
  SectionFlag,
  SectionType,
  SymbolType,
} from "../elf/elf-file.ts";
import { MalformedError } from "../errors.ts";
import type { MapSpec } from "../map-spec.ts";
import { MapType } from "../map-type.ts";
import type { ProgramSpec } from "../program-spec.ts";
import { ProgramType } from "../program-type.ts";
import { isFunctionPointer, StructOpsSpec } from "../struct-ops-spec.ts";
import type { ObjectTypes } from "./object-types.ts";

/** BPF_F_LINK (6.4): the map's struct is registered by a link. */
const BPF_F_LINK = 1 << 13;

/**
 * Whether a section holds structs of functions for the kernel: `.struct_ops`, `.struct_ops.link`, with `?` or without.
 */
export function isStructOpsSection(name: string): boolean {
  return /^\??\.struct_ops(\.link)?$/.test(name);
}

/**
 * A map for each variable of the object's struct_ops sections, with the programs that its members point at.
 *
 * Throws MalformedError for a variable that is no struct, and for an address that is not a program's in the place of a
 * pointer to a function.
 */
export function readStructOps(elf: ElfFile, types: ObjectTypes | undefined): MapSpec[] {
  return elf.sections
    .filter(({ flags, size, name }) => (flags & SectionFlag.ALLOC) !== 0 && size > 0 && isStructOpsSection(name))
    .flatMap((section) => readSection(elf, section, types));
}

function readSection(elf: ElfFile, section: ElfSection, types: ObjectTypes | undefined): MapSpec[] {
  const place = `section "${section.name}"`;
  if (section.type !== SectionType.PROGBITS) {
    throw new MalformedError(place, undefined, `struct_ops in a section of type ${section.type}`);
  }
  // btfForKernel has renamed it.
  const id = types?.sections.get(section.name.replace(/^\?/, "_"));
  if (types === undefined || id === undefined) {
    throw new MalformedError(place, undefined, "its structs are described in BTF, and the object has none of them");
  }
  const { btf } = types;
  const kind = { link: section.name.endsWith(".link"), optional: section.name.startsWith("?") };
  const { variables } = btf.typeById(id) as BtfDataSection;
  const relocations = elf.relocationsOf(section.index);
  const membersOf = new Map<number, ReadonlyMap<number, BtfMember>>();
  let next = 0;
  const maps = variables.map(({ type: variableId, offset, size }): MapSpec => {
    const { name, type: typeId } = btf.typeById(variableId) as BtfVariable;
    const structId = btf.resolve(typeId);
    const type = btf.typeById(structId);
    if (type.kind !== BtfKind.STRUCT || type.size > size) {
      throw new MalformedError(
        place,
        offset,
        `variable "${name}" is not declared by a struct of at most ${size} bytes`,
      );
    }
    const contents = section.bytes.slice(offset, offset + type.size);
    const programs: [string, string][] = [];
    // Variables and relocations both ascend: one walk finds what lies in each.
    for (; (relocations[next]?.offset ?? Number.POSITIVE_INFINITY) < offset + type.size; next++) {
      const relocation = relocations[next] as ElfRelocation;
      const members = membersOf.get(structId) ?? membersByOffset(type);
      membersOf.set(structId, members);
      const member = members.get((relocation.offset - offset) * 8);
      if (member === undefined || !isFunctionPointer(btf, member.type) || relocation.symbol.type !== SymbolType.FUNC) {
        const found = `the address of "${relocation.symbol.name}"`;
        throw new MalformedError(
          place,
          relocation.offset,
          `${found} in "${name}" is not a program's in a member for one`,
        );
      }
      contents.fill(0, relocation.offset - offset, relocation.offset - offset + 8);
      programs.push([member.name, relocation.symbol.name]);
    }
    return {
      name,
      type: MapType.STRUCT_OPS,
      keySize: 4,
      valueSize: type.size,
      maxEntries: 1,
      flags: kind.link ? BPF_F_LINK : 0,
      extra: 0n,
      pinning: "none",
      keyTypeId: 0,
      valueTypeId: structId,
      structOps: new StructOpsSpec(name, kind, type, btf, contents, programs),
    };
  });
  const stray = relocations[next];
  if (stray === undefined) return maps;
  throw new MalformedError(place, stray.offset, `the address of "${stray.symbol.name}" lies in no variable`);
}

/** Members by their place in bits; those without a name, which nothing could refer to, are left out. */
function membersByOffset({ members }: BtfComposite): ReadonlyMap<number, BtfMember> {
  return new Map(members.flatMap((member) => (member.name === "" ? [] : [[member.bitOffset, member] as const])));
}

/**
 * Tells each program of type struct_ops which member it is for, `tcp_congestion_ops:ssthresh`, where an object's
 * variable points at it. Throws MalformedError when a variable points at a function that is no program.
 */
export function nameStructOpsMembers(maps: Iterable<MapSpec>, programs: ReadonlyMap<string, ProgramSpec>): void {
  for (const { name, structOps } of maps) {
    for (const [member, wanted] of structOps?.programs ?? []) {
      const program = programs.get(wanted);
      if (program === undefined) {
        throw new MalformedError(
          `struct_ops "${name}"`,
          undefined,
          `member "${member}" points at "${wanted}", which is no program (a function in a section of its own)`,
        );
      }
      if (program.type === ProgramType.STRUCT_OPS) program.attachTo = `${structOps?.typeName}:${member}`;
    }
  }
}
