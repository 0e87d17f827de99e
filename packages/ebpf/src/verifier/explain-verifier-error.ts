// SPDX-License-Identifier: Apache-2.0

import { type SourceLine, sourcePlace } from "../disassemble/source-place.ts";
import type { VerifierError } from "../errors.ts";
import type { VerifierFinding } from "./finding.ts";

/**
 * A refusal as a block to read, without a trailing line break: the verifier's words, the line of C, the instruction
 * with its registers, the reason in plain words and what usually helps.
 *
 * ```text
 * program "on_exec" was refused by the verifier
 *   R0 invalid mem access 'map_value_or_null'
 *    --> exec.bpf.c:50:17, in on_exec
 *    |
 * 50 | counted->hits++;
 *    |
 *   at 7: r1 = *(u64 *)(r0 +0)
 *      r0 = pointer to a value of map "counts" (40 bytes), or null
 *   why: r0 may be NULL here, and the instruction reads or writes where it points.
 *   help: Compare it with NULL, and use it only where it is not.
 * ```
 *
 * Lines that nothing is known for are left out. The whole log is in `error.log`.
 */
export function explainVerifierError(error: VerifierError): string {
  const { finding } = error;
  const said = finding.messages.length === 0 ? [finding.reason] : finding.messages;
  return [
    `program "${error.program}" was refused by the verifier`,
    ...said.map((line) => `  ${line}`),
    ...sourceBlock(finding.source, finding.function),
    ...instructionBlock(finding),
    ...(finding.path.length === 0 ? [] : ["  how it got there:", ...finding.path.map((line) => `    ${line}`)]),
    ...(finding.explanation === undefined ? [] : [`  why: ${finding.explanation}`]),
    ...(finding.hint === undefined ? [] : [`  help: ${finding.hint}`]),
  ].join("\n");
}

function sourceBlock(source: SourceLine | undefined, name: string | undefined): string[] {
  const place = source === undefined ? "" : sourcePlace(source);
  const where = [place, name === undefined ? "" : `in ${name}`].filter((part) => part !== "").join(", ");
  const number = source?.line === undefined ? "" : `${source.line}`;
  const margin = " ".repeat(Math.max(2, number.length));
  const head = where === "" ? [] : [`${margin} --> ${where}`];
  if (source === undefined || source.text === "") return head;
  return [...head, `${margin} |`, `${number.padStart(margin.length)} | ${source.text}`, `${margin} |`];
}

function instructionBlock({ instruction, registers }: VerifierFinding): string[] {
  if (instruction === undefined) return [];
  return [
    `  at ${instruction.index}: ${instruction.text}`,
    ...registers.map(({ name, words }) => `     ${name} = ${words}`),
  ];
}
