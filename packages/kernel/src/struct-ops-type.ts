// SPDX-License-Identifier: Apache-2.0

import { type Btf, type BtfComposite, BtfKind, type BtfMember, NotSupportedError } from "@skep/ebpf";
import { kernelBtf } from "./kernel-btf.ts";
import { moduleTypes } from "./module-types.ts";

/** What a kernel knows of a struct of functions that programs may implement. */
export interface KernelStructType {
  readonly btf: Btf;
  /** `struct tcp_congestion_ops`, and its id. */
  readonly type: BtfComposite;
  readonly typeId: number;
  /** The value of a map that holds one, `struct bpf_struct_ops_tcp_congestion_ops`: its id and bytes. */
  readonly valueTypeId: number;
  readonly valueSize: number;
  /** Bytes of the value before the struct. */
  readonly offset: number;
  /** The module that has it (6.9); undefined for the kernel itself. */
  readonly module?: string;
}

/**
 * The struct of functions of a name, of the kernel or a module. Throws NotSupportedError when it takes none from
 * programs: its BTF then has no `bpf_struct_ops_` type for it.
 */
export function kernelStructType(name: string): KernelStructType {
  const btf = kernelBtf();
  if (btf === undefined)
    throw new NotSupportedError(`struct_ops "${name}": kernel types in /sys/kernel/btf/vmlinux`, "5.6");
  const own = findStructType(btf, name);
  if (own !== undefined) return own;
  for (const { module, btf: types } of moduleTypes()) {
    const found = findStructType(types, name);
    if (found !== undefined) return { ...found, module };
  }
  throw new NotSupportedError(`struct_ops "${name}"`);
}

/** Finds it in the given types; undefined when there is none. */
export function findStructType(btf: Btf, name: string): KernelStructType | undefined {
  for (const valueTypeId of btf.idsByName(`bpf_struct_ops_${name}`, BtfKind.STRUCT)) {
    const value = btf.typeById(valueTypeId);
    if (value.kind !== BtfKind.STRUCT) continue;
    for (const member of value.members) {
      const typeId = btf.resolve(member.type);
      const type = btf.typeById(typeId);
      if (type.kind !== BtfKind.STRUCT || type.name !== name) continue;
      return { btf, type, typeId, valueTypeId, valueSize: value.size, offset: member.bitOffset / 8 };
    }
  }
  return undefined;
}

/**
 * A member by name and its index, which a program for it is loaded with; undefined when the kernel's struct has none.
 */
export function findMember(
  { type }: KernelStructType,
  name: string,
): { readonly member: BtfMember; readonly index: number } | undefined {
  const index = type.members.findIndex((member) => member.name === name);
  const member = type.members[index];
  return member === undefined ? undefined : { member, index };
}
