// SPDX-License-Identifier: Apache-2.0

import type { SourceLine } from "../disassemble/source-place.ts";

/** A register where the verifier stopped. */
export interface RegisterFinding {
  /** `r0` to `r10`. */
  readonly name: string;
  /** As the log has it, such as `map_value_or_null(id=1,map=flows,ks=4,vs=8)`. */
  readonly state: string;
  /** The same in words, such as `pointer to a value of map "flows" (8 bytes), or null`. */
  readonly words: string;
}

/** What a verifier's log says about why it refused a program; only what it and the program themselves say. */
export interface VerifierFinding {
  /**
   * The reason in one line, in the verifier's own words; in ours where the loader has put a call that fails in place of
   * what the kernel lacks.
   */
  readonly reason: string;
  /** All that it said where it stopped, a line an element. */
  readonly messages: readonly string[];
  /** The instruction at fault, or the last one that it looked at; undefined when the log names none. */
  readonly instruction: { readonly index: number; readonly text: string } | undefined;
  /** The line of C that it comes from. */
  readonly source: SourceLine | undefined;
  /** The function that it is in. */
  readonly function: string | undefined;
  /** The registers that the instruction or the message name, as they were before the instruction. */
  readonly registers: readonly RegisterFinding[];
  /** The reason in plain words; undefined when the message is not one that Skep knows. */
  readonly explanation: string | undefined;
  /** What usually helps. */
  readonly hint: string | undefined;
  /** How the verifier got there, by its own account (7.3 and newer); empty before. */
  readonly path: readonly string[];
}
