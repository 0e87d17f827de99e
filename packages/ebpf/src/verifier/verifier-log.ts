// SPDX-License-Identifier: Apache-2.0

import type { SourceLine } from "../disassemble/source-place.ts";
import { hasRegisterState, RegisterStates } from "./register-states.ts";
import { readReport, type VerifierReport } from "./verifier-report.ts";

/** A verifier's log, understood as far as it can be without the program. */
export interface VerifierLog {
  /** What it said after the last instruction that it printed, without register states and statistics. */
  readonly messages: readonly string[];
  /** The last instruction that it printed. */
  readonly instruction: { readonly index: number; readonly text: string } | undefined;
  /** The last line of C that it printed before. */
  readonly source: SourceLine | undefined;
  /** The registers before that instruction, by number. */
  readonly registers: ReadonlyMap<number, string>;
  /** The function that it was validating by itself (`Validating name() func#1...`). */
  readonly function: string | undefined;
  /** The instructions that it printed, by their index; of a log of level 1 those that lead to the last. */
  readonly texts: ReadonlyMap<number, string>;
  /** The report of Linux 7.3 and newer. */
  readonly report: VerifierReport | undefined;
}

/** Lines that the verifier adds at the end whatever it found. */
const STATISTICS = /^(processed \d+ insns|verification time|stack depth|insns_?processed|mark_read|peak_states)/;
const MOST_LINES = 10_000;
const INSTRUCTION = /^(\d+): \(([0-9a-f]{2})\) (.*)$/;
/** `; text @ file.c:12` from 6.10 on, without the place before. */
const COMMENT = /^\s*; (.*?)(?: @ (\S+):(\d+))?$/;
/** All registers at a place: after a branch (`from 3 to 5: R0=…`, ` R0=…`), and at the start. */
const WHOLE_STATE = /^(from \d+ to \d+:|\s+(frame\d+:\s*)?R\d)/;
/** What the verifier tells on its way, and two states that it compared. */
const ASIDE =
  /^(func '.*' arg\d+ (has btf_id|type)|func#\d+ @|Func#\d+ |caller:|callee:|returning from callee:|to caller at |(cur|old) state:|from \d+ to \d+|last_idx|regs=|parent |mark_precise|propagating |Live regs|\s*\d+: [.0-9]+ \()/;

/**
 * Reads a log of any kernel: of 5.x (`R1_w=inv(id=0)`, the line of C before the instruction), of later ones
 * (`R1=scalar()` behind the instruction that changed it, the line of C with its place), and of 7.3 with its report.
 */
export function readVerifierLog(log: string): VerifierLog {
  const lines = lastLines(log);
  const title = lines.findLastIndex((line) => line.startsWith("Verification failed:"));
  const states = new RegisterStates();
  const texts = new Map<number, string>();
  let messages: string[] = [];
  let instruction: VerifierLog["instruction"];
  let source: SourceLine | undefined;
  let validated: string | undefined;
  let registers: ReadonlyMap<number, string> = new Map();
  for (const line of title === -1 ? lines : lines.slice(0, title)) {
    if (line === "" || STATISTICS.test(line)) continue;
    const [, index, , rest = ""] = INSTRUCTION.exec(line) ?? [];
    if (index !== undefined) {
      // Behind a semicolon are the registers that it changed.
      const [text = "", after] = split(rest);
      instruction = { index: Number(index), text };
      texts.set(instruction.index, text);
      registers = states.snapshot();
      messages = [];
      states.execute(text);
      if (after !== undefined) states.read(after, false);
      continue;
    }
    const [, text, file, place] = COMMENT.exec(line) ?? [];
    const before = /^\d+: (.*)$/.exec(line)?.[1];
    if (text !== undefined) {
      source = { file, line: place === undefined ? undefined : Number(place), column: undefined, text: text.trim() };
    } else if (before !== undefined && hasRegisterState(before)) {
      states.read(before, false);
    } else if (WHOLE_STATE.test(line)) {
      states.read(line.replace(/^from \d+ to \d+:/, ""), true);
    } else if (!hasRegisterState(line) && !ASIDE.test(line)) {
      validated = /^Validating (.+?)\(\) func#\d+/.exec(line)?.[1] ?? validated;
      if (!line.startsWith("Validating ")) messages.push(line);
    }
  }
  return {
    messages: messages.map((message) => message.trim()),
    ...{ instruction, source, registers, texts },
    function: validated,
    report: title === -1 ? undefined : readReport(lines.slice(title)),
  };
}

/**
 * The lines of a log without the white space behind them; of one that goes on for a million instructions the last ones,
 * which tell why it ended.
 */
export function lastLines(log: string): string[] {
  let start = log.length;
  for (let count = 0; count < MOST_LINES && start > 0; count++) start = log.lastIndexOf("\n", start - 1);
  return log
    .slice(Math.max(0, start))
    .split("\n")
    .map((line) => line.trimEnd());
}

/** Whether a line says nothing about the reason: statistics, and what the verifier tells on its way. */
export function isAside(line: string): boolean {
  return line === "" || STATISTICS.test(line) || ASIDE.test(line);
}

/** An instruction and the registers printed behind it. */
function split(text: string): [string, string?] {
  const at = text.search(/\s+; (frame\d+: )?(R\d|refs=|fp-|$)/);
  return at === -1 ? [text.trim()] : [text.slice(0, at).trim(), text.slice(at).replace(/^\s*; /, "")];
}
