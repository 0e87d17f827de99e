// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { BtfKind, type BtfType } from "../btf/types.ts";
import { sameKind, typesCompatible } from "./compatibility.ts";
import { describeType } from "./describe-type.ts";

/**
 * What keeps a function or variable of the kernel from being the one that an object declares, in words; undefined when
 * nothing does. Types are compared by kind all the way down; names of structs and sizes of integers do not count
 * (bpf_core_types_are_compat, tools/lib/bpf/relo_core.c), and `struct x;` stands for a struct. The ids are those of two
 * FUNC_PROTO, or of two types of variables.
 */
export function signatureDifference(local: Btf, localId: number, target: Btf, targetId: number): string | undefined {
  if (typesCompatible(local, localId, target, targetId, alike)) return undefined;
  const ours = local.typeById(local.resolve(localId));
  const theirs = target.typeById(target.resolve(targetId));
  const differ = (what: string, ourId: number, theirId: number): string =>
    `${what} ${describeType(local, ourId)}, in the kernel ${describeType(target, theirId)}`;
  if (ours.kind !== BtfKind.FUNC_PROTO || theirs.kind !== BtfKind.FUNC_PROTO) {
    return differ("it is declared as", localId, targetId);
  }
  if (ours.parameters.length !== theirs.parameters.length) {
    return `it is declared with ${ours.parameters.length} parameters, in the kernel it has ${theirs.parameters.length}`;
  }
  for (const [i, parameter] of ours.parameters.entries()) {
    const other = theirs.parameters[i]?.type ?? 0;
    if (typesCompatible(local, parameter.type, target, other, alike)) continue;
    return differ(`its parameter ${i + 1} is declared as`, parameter.type, other);
  }
  return differ("it is declared to return", ours.returns, theirs.returns);
}

function alike(a: BtfType, b: BtfType): boolean {
  return sameKind(a, b) || declares(a, b) || declares(b, a);
}

function declares(forward: BtfType, type: BtfType): boolean {
  return forward.kind === BtfKind.FWD && type.kind === (forward.union ? BtfKind.UNION : BtfKind.STRUCT);
}
