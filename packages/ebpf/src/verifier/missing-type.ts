// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { essentialName } from "../btf/essential-name.ts";
import { type AccessPath, describeAccess, readAccess } from "../core/access-path.ts";
import { sameKind } from "../core/compatibility.ts";
import { matchAccess } from "../core/match-access.ts";
import { coreRelocationName, isFieldRelocation } from "../core/relocation-kind.ts";
import { SkepError } from "../errors.ts";
import type { CoreRelocation } from "../program-spec.ts";
import type { Explanation } from "./known-messages.ts";

/**
 * What a CO-RE relocation asks for, and which part of it the kernel lacks: the type, or the first step of the path that
 * is not there. Undefined for a relocation that contradicts the object's own types.
 */
export function missingForRelocation(
  relocation: CoreRelocation,
  local: Btf,
  kernelTypes: Btf | undefined,
): Explanation | undefined {
  let path: AccessPath;
  try {
    path = readAccess(local, relocation);
  } catch (error) {
    if (error instanceof SkepError) return undefined;
    throw error;
  }
  const asked = `${coreRelocationName(relocation.kind)} of ${describeAccess(local, path)}`;
  return {
    explanation: `the program needs the ${asked}${missing(relocation, path, local, kernelTypes)}`,
    hint: "ask before: bpf_core_field_exists, bpf_core_type_exists or bpf_core_enum_value_exists, so that the path is not taken on kernels without it",
  };
}

function missing(relocation: CoreRelocation, path: AccessPath, local: Btf, target: Btf | undefined): string {
  const type = local.typeById(relocation.typeId);
  const name = essentialName(type.name);
  if (target === undefined || name === "") return ", which this kernel does not have";
  const candidates = target.idsByEssentialName(name).filter((id) => sameKind(type, target.typeById(id)));
  if (candidates.length === 0) return `, and the types of this kernel, its modules aside, have no ${name}`;
  if (!isFieldRelocation(relocation.kind))
    return `, and the ${name} of this kernel has no such value or is another type`;
  for (let steps = 1; steps <= path.steps.length; steps++) {
    const part = { ...path, steps: path.steps.slice(0, steps) };
    const found = candidates.some((id) => matchAccess(local, part, target, id, relocation.kind) !== undefined);
    if (!found) return `, and this kernel has no ${describeAccess(local, part)}, or one of another kind`;
  }
  return ", and the field of this kernel is of a width that the instruction cannot take";
}
