// SPDX-License-Identifier: Apache-2.0

import type { CoreRelocation, LineInfo, MapReference } from "../program-spec.ts";

/**
 * An instruction with all that is known about it. Programs are arrays of these: whatever is put in or taken out,
 * jumps follow their labels, and maps, externs, CO-RE relocations, lines and functions stay with their instruction.
 */
export interface AssemblyInstruction {
  /** RFC 9669, section 3. `0x18` (`ld_imm64`) takes two slots. */
  readonly opcode: number;
  /** Register 0 to 10; 0 unless given. */
  readonly destination?: number;
  /** Register 0 to 10, or a pseudo meaning of calls and `ld_imm64`; 0, or what `target`, `map` and `extern` mean, unless given. */
  readonly source?: number;
  /** 16 bits with sign; 0 unless given. Not for jumps with a `target`. */
  readonly offset?: number;
  /** 32 bits, of `ld_imm64` 64 bits; 0 unless given. Not together with a `target` that it would hold. */
  readonly immediate?: number | bigint;
  /** Names of this place. */
  readonly labels?: readonly string[];
  /** The label that a jump, a call of a function or the address of a function leads to. */
  readonly target?: string;
  /** The map whose descriptor, or the byte of whose value, an `ld_imm64` loads. */
  readonly map?: Omit<MapReference, "instruction">;
  /** The symbol of the kernel that a call or an `ld_imm64` leads to (`__ksym`). */
  readonly extern?: string;
  /** A question to the kernel's types that the immediate or the offset holds the answer of. */
  readonly core?: Omit<CoreRelocation, "instruction">;
  /** The line of C that it begins. */
  readonly line?: Omit<LineInfo, "instruction">;
  /** BTF type of the function that it begins. */
  readonly functionTypeId?: number;
}
