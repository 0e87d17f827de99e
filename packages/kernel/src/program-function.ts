// SPDX-License-Identifier: Apache-2.0

import { type Btf, BtfKind, InvalidValueError, NotFoundError } from "@skep/ebpf";
import type { KernelProgram } from "./kernel-program.ts";
import { readLoadedBtf } from "./map-info.ts";

/**
 * Id of a function in the types of a loaded program: of its own, or of those that it calls and brought along. A program
 * that somebody else loaded is asked for its types, which takes CAP_SYS_ADMIN. Throws NotFoundError, and
 * InvalidValueError when the program was loaded without types.
 */
export function programFunctionId(program: KernelProgram, name: string): number {
  const btf = program.btf ?? btfOf(program);
  const { functionInfo } = program.spec;
  // The program's functions are a part of its object's, which may have others of the same name.
  const ids = functionInfo.length > 0 ? functionInfo.map(({ typeId }) => typeId) : functionsOf(btf);
  const found = ids.find((id) => btf.typeById(id).name === name);
  if (found !== undefined) return found;
  const names = new Set(ids.map((id) => btf.typeById(id).name));
  throw new NotFoundError(`function in program "${program.name}"`, name, names);
}

function btfOf(program: KernelProgram): Btf {
  const { btfId } = program.info();
  if (btfId !== 0) return readLoadedBtf(btfId);
  throw new InvalidValueError(`program "${program.name}" was loaded without BTF: its functions have no ids`);
}

function functionsOf(btf: Btf): number[] {
  const ids: number[] = [];
  for (let id = 1; id < btf.typeCount; id++) if (btf.typeById(id).kind === BtfKind.FUNC) ids.push(id);
  return ids;
}
