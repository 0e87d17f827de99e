// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { BtfKind } from "../btf/types.ts";
import type { FunctionInfo, LineInfo } from "../program-spec.ts";
import type { SourceLine } from "./source-place.ts";

/**
 * The lines of C of a program, by line_info (`struct bpf_line_info`: the line in the upper 22 bits of `line_col`, the
 * column in the lower 10).
 */
export class SourceLines {
  readonly #btf: Btf;
  readonly #records: readonly LineInfo[];

  /** `lineInfo` may be of any order. */
  constructor(lineInfo: readonly LineInfo[], btf: Btf) {
    this.#btf = btf;
    this.#records = lineInfo.toSorted((a, b) => a.instruction - b.instruction);
  }

  /** The line that an instruction was made from; undefined before the first record. */
  of(instruction: number): SourceLine | undefined {
    const record = lastBefore(this.#records, instruction);
    return record === undefined ? undefined : this.#lineOf(record);
  }

  /** The lines that begin at an instruction, by its slot; those without text are left out. */
  beginnings(): Map<number, SourceLine> {
    const lines = new Map<number, SourceLine>();
    for (const record of this.#records) {
      const line = this.#lineOf(record);
      if (line.text !== "") lines.set(record.instruction, line);
    }
    return lines;
  }

  #lineOf({ fileNameOffset, lineOffset, lineColumn }: LineInfo): SourceLine {
    const column = lineColumn & 0x3ff;
    return {
      file: this.#btf.string(fileNameOffset),
      line: lineColumn >>> 10,
      column: column === 0 ? undefined : column,
      text: this.#btf.string(lineOffset).trim(),
    };
  }
}

/** The name of the function that an instruction is in, by func_info; undefined when that does not tell. */
export function functionOf(functionInfo: readonly FunctionInfo[], btf: Btf, instruction: number): string | undefined {
  const record = lastBefore(
    functionInfo.toSorted((a, b) => a.instruction - b.instruction),
    instruction,
  );
  if (record === undefined || record.typeId >= btf.typeCount) return undefined;
  const type = btf.typeById(record.typeId);
  return type.kind === BtfKind.FUNC && type.name !== "" ? type.name : undefined;
}

/** The last of the sorted records that is not after an instruction. */
function lastBefore<T extends { readonly instruction: number }>(
  records: readonly T[],
  instruction: number,
): T | undefined {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle] as T).instruction <= instruction) low = middle + 1;
    else high = middle;
  }
  return records[low - 1];
}
