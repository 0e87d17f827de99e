// SPDX-License-Identifier: Apache-2.0

import { assemble, InvalidValueError } from "@skep/ebpf";

/** A case of the conformance suite, ready to run. */
export interface ConformanceCase {
  /** The file's name without `.data`. */
  readonly name: string;
  /** Instructions, 8 bytes a slot; undefined when there is a problem. */
  readonly instructions: Uint8Array | undefined;
  /** Why it cannot be run: the assembler refuses the program, or the file is no case. */
  readonly problem: string | undefined;
  /** What r1 points at and r2 counts; empty when the case has none. */
  readonly memory: Uint8Array;
  /** What r0 holds in the end, unsigned; undefined when only an error will do. */
  readonly result: bigint | undefined;
  /** Whether it may, or without a result must, be refused or fail as it runs. */
  readonly mayFail: boolean;
}

/** Sections that say nothing of how a case is run: C that it was compiled from, and what ubpf tests besides. */
const IGNORED = new Set(["c", "no register offset"]);
const KNOWN = new Set(["asm", "raw", "mem", "result", "error", ...IGNORED]);

/**
 * Reads a case: sections that begin with `-- name`, one of
 *
 * | section | holds |
 * |---|---|
 * | `asm` | the program, for the assembler |
 * | `raw` | the program as numbers of 64 bits, little-endian slots; wins over `asm` |
 * | `mem` | bytes in hex |
 * | `result` | r0, in hex or decimal |
 * | `error` | the message of an engine that refuses it; any refusal will do here |
 * | `c`, `no register offset` | nothing that matters here |
 *
 * and comments that begin with `#`. Throws InvalidValueError for other sections, by name, and for what makes no sense.
 */
export function parseCase(name: string, text: string): ConformanceCase {
  const sections = splitSections(name, text);
  const { instructions, problem } = programOf(name, sections);
  const result = sections.get("result")?.trim();
  if (result === "" || (result === undefined && !sections.has("error"))) {
    throw new InvalidValueError(`case "${name}" has neither a result nor an error`);
  }
  const memory = words(sections.get("mem")).map((word) => {
    if (/^(0x)?[0-9a-f]{1,2}$/i.test(word)) return Number.parseInt(word, 16);
    throw new InvalidValueError(`case "${name}": "${word}" of its memory is no byte in hex`);
  });
  return {
    ...{ name, instructions, problem, memory: Uint8Array.from(memory) },
    result: result === undefined ? undefined : parseWord(name, result),
    mayFail: sections.has("error"),
  };
}

function splitSections(name: string, text: string): Map<string, string> {
  const sections = new Map<string, string>();
  let current: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const title = /^--\s*(.*?)\s*$/.exec(line)?.[1];
    if (title === undefined) {
      // C has lines that begin like comments.
      const content = current === "c" ? line : line.replace(/#.*$/, "");
      if (current !== undefined) sections.set(current, `${sections.get(current) ?? ""}${content}\n`);
      else if (content.trim() !== "") throw new InvalidValueError(`case "${name}" begins with no section`);
      continue;
    }
    if (!KNOWN.has(title)) throw new InvalidValueError(`case "${name}": there is no section "${title}"`);
    current = title;
    sections.set(current, sections.get(current) ?? "");
  }
  return sections;
}

function programOf(
  name: string,
  sections: ReadonlyMap<string, string>,
): Pick<ConformanceCase, "instructions" | "problem"> {
  const raw = words(sections.get("raw"));
  if (raw.length > 0) {
    const slots = BigUint64Array.from(raw.map((word) => parseWord(name, word)));
    return { instructions: new Uint8Array(slots.buffer), problem: undefined };
  }
  const source = sections.get("asm");
  if (source === undefined) throw new InvalidValueError(`case "${name}" has no program`);
  try {
    return { instructions: assemble(source).instructions, problem: undefined };
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    return { instructions: undefined, problem: `the assembler refuses it: ${error.message}` };
  }
}

function words(text: string | undefined): string[] {
  return text?.match(/\S+/g) ?? [];
}

/** A number of 64 bits. */
function parseWord(name: string, text: string): bigint {
  const match = /^(-?)(0x[0-9a-f]+|\d+)$/i.exec(text);
  if (match === null) throw new InvalidValueError(`case "${name}": "${text}" is not a number`);
  const magnitude = BigInt(match[2] ?? "0");
  if (magnitude >= 1n << 64n) throw new InvalidValueError(`case "${name}": ${text} does not fit 64 bits`);
  return BigInt.asUintN(64, match[1] === "-" ? -magnitude : magnitude);
}
