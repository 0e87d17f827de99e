// SPDX-License-Identifier: Apache-2.0

import { SkepError } from "@skep/ebpf";

/** A program breaks a rule of the instruction set, or of the engine; it was not loaded. `ERR_INVALID_PROGRAM`. */
export class InvalidProgramError extends SkepError {
  readonly program: string;
  /** Slot of the instruction. */
  readonly instruction: number;

  constructor(program: string, instruction: number, problem: string) {
    super("ERR_INVALID_PROGRAM", `program "${program}", instruction ${instruction}: ${problem}`);
    this.program = program;
    this.instruction = instruction;
  }
}
