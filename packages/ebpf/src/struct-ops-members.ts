// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, NotFoundError } from "./errors.ts";
import type { MapSpec } from "./map-spec.ts";
import type { ProgramSpec } from "./program-spec.ts";
import { ProgramType, programTypeName } from "./program-type.ts";
import { isFunctionPointer } from "./struct-ops-spec.ts";

/**
 * Which member of which struct the programs of struct_ops maps are verified against, `tcp_congestion_ops:ssthresh`, by
 * their names. Throws NotFoundError for members and programs that there are not, and InvalidValueError for a member
 * that is no function, and a program of another type or for two different members.
 */
export function structOpsMembers(
  maps: Iterable<MapSpec>,
  programs: ReadonlyMap<string, ProgramSpec>,
): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (const { name, structOps } of maps) {
    if (structOps === undefined) continue;
    for (const [member, wanted] of structOps.programs) {
      const object = `struct_ops "${name}", member "${member}"`;
      if (!isFunctionPointer(structOps.btf, structOps.member(member).type)) {
        throw new InvalidValueError(`${object}: no function, and program "${wanted}" is given for it; use set`);
      }
      const program = programs.get(wanted);
      if (program === undefined) throw new NotFoundError("program", wanted, programs.keys());
      if (program.type !== ProgramType.STRUCT_OPS) {
        throw new InvalidValueError(
          `${object}: program "${wanted}" is of type ${programTypeName(program.type)}, wanted struct_ops`,
        );
      }
      const place = `${structOps.typeName}:${member}`;
      const before = members.get(wanted);
      if (before !== undefined && before !== place) {
        throw new InvalidValueError(`program "${wanted}" is for ${before} and for ${place}: it can be for one`);
      }
      members.set(wanted, place);
    }
  }
  return members;
}
