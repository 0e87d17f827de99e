// SPDX-License-Identifier: Apache-2.0

import { type Btf, BtfKind, type MapSpec, MapType } from "@skep/ebpf";

/** Where the value of a map has its `struct bpf_spin_lock`, a member of its outermost struct; undefined when it has none. */
export function lockOffsetOf(spec: MapSpec, btf: Btf | undefined): number | undefined {
  if (btf === undefined || spec.valueTypeId === 0) return undefined;
  if (spec.type !== MapType.HASH && spec.type !== MapType.ARRAY) return undefined;
  const type = btf.typeById(btf.resolve(spec.valueTypeId));
  if (type.kind !== BtfKind.STRUCT) return undefined;
  for (const member of type.members) {
    const inner = btf.typeById(btf.resolve(member.type));
    if (inner.kind === BtfKind.STRUCT && inner.name === "bpf_spin_lock") return member.bitOffset / 8;
  }
  return undefined;
}
