// SPDX-License-Identifier: Apache-2.0

import { WhereError } from "./where-error.ts";

/**
 * A regular expression. PostgreSQL's and JavaScript's differ in much, so this is the part on which they agree,
 * with one meaning: characters, `.` (any character, newline too), `[a-z]` and `[^a-z]`, `\d \w \s` (ASCII) and
 * `\D \W \S`, `\t \n \r`, `\` before punctuation, `( )`, `(?: )`, `|`, `* + ? {m} {m,} {m,n}`, `^` and `$` (start and
 * end of the text), and `(?i)` in front: ASCII letters match in either case.
 */
export type PatternNode =
  | { readonly kind: "class"; readonly ranges: readonly CodeRange[]; readonly negated: boolean }
  | { readonly kind: "start" | "end" }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "repeat"; readonly part: PatternNode; readonly minimum: number; readonly maximum: number };

/** Code points from the first to the last, both included. */
export type CodeRange = readonly [first: number, last: number];

/** A regular expression that was read. */
export interface Pattern {
  readonly text: string;
  readonly root: PatternNode;
}

/** Characters of a pattern. */
const MAX_LENGTH = 256;

/** States of the automaton, which bounded repeats multiply. */
const MAX_STATES = 2000;

/** PostgreSQL's limit for the numbers in `{m,n}`. */
const MAX_REPEAT = 255;

const DIGITS: readonly CodeRange[] = [[0x30, 0x39]];
const WORD: readonly CodeRange[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const SPACE: readonly CodeRange[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
];
const CLASSES: Readonly<Record<string, readonly CodeRange[]>> = { d: DIGITS, w: WORD, s: SPACE };
const CONTROLS: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, r: 0x0d };

/**
 * Reads a pattern.
 *
 * @param position - where it begins in the filter, for errors
 * @throws {@link WhereError} for what is outside the common part, and for patterns that are too large
 */
export function parsePattern(text: string, position = 0): Pattern {
  if (text.length > MAX_LENGTH) {
    throw new WhereError(position, `a pattern of ${text.length} characters`, `at most ${MAX_LENGTH}`);
  }
  const root = new PatternParser(text, position).parse();
  const states = countStates(root);
  if (states > MAX_STATES) {
    throw new WhereError(position, `a pattern that repeats into ${states} states`, `at most ${MAX_STATES}`);
  }
  return { text, root };
}

/** The pattern in PostgreSQL's syntax (its default flavour, ARE), in which it means the same under collation "C". */
export function patternToSql(node: PatternNode): string {
  switch (node.kind) {
    case "class":
      return classToSql(node.ranges, node.negated);
    case "start":
      return "^";
    case "end":
      return "$";
    case "sequence":
      return node.parts.map((part) => (part.kind === "choice" ? group(part) : patternToSql(part))).join("");
    case "choice":
      return node.parts.map(patternToSql).join("|");
    case "repeat": {
      const part = node.part.kind === "class" ? patternToSql(node.part) : group(node.part);
      return `${part}{${node.minimum},${node.maximum === Number.POSITIVE_INFINITY ? "" : node.maximum}}`;
    }
  }
}

function group(node: PatternNode): string {
  return `(?:${patternToSql(node)})`;
}

function classToSql(ranges: readonly CodeRange[], negated: boolean): string {
  const [only] = ranges;
  if (ranges.length === 0) return negated ? "." : "[^\\s\\S]";
  if (!negated && ranges.length === 1 && only !== undefined && only[0] === only[1]) return escapeSql(only[0]);
  const body = ranges.map(([first, last]) =>
    first === last ? escapeSql(first) : `${escapeSql(first)}-${escapeSql(last)}`,
  );
  return `[${negated ? "^" : ""}${body.join("")}]`;
}

/** A backslash before punctuation means the character itself, inside brackets and outside. */
function escapeSql(code: number): string {
  const character = String.fromCodePoint(code);
  return /[!-/:-@[-`{-~]/.test(character) ? `\\${character}` : character;
}

function countStates(node: PatternNode): number {
  switch (node.kind) {
    case "sequence":
    case "choice":
      return node.parts.reduce((sum, part) => sum + countStates(part), 1);
    case "repeat": {
      const copies = node.maximum === Number.POSITIVE_INFINITY ? node.minimum + 1 : node.maximum;
      return 1 + copies * (countStates(node.part) + 1);
    }
    default:
      return 1;
  }
}

/** Recursive descent over code points. Nesting is bounded by the pattern's length. */
class PatternParser {
  readonly #characters: readonly string[];
  readonly #position: number;
  #at = 0;
  #ignoreCase = false;

  constructor(text: string, position: number) {
    this.#characters = [...text];
    this.#position = position;
  }

  parse(): PatternNode {
    if (this.#characters.slice(0, 4).join("") === "(?i)") {
      this.#ignoreCase = true;
      this.#at = 4;
    }
    const node = this.#choice();
    if (this.#at < this.#characters.length) throw this.#error("the end of the pattern");
    return node;
  }

  #choice(): PatternNode {
    const parts = [this.#sequence()];
    while (this.#take("|")) parts.push(this.#sequence());
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: "choice", parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      parts.push(this.#repeats(this.#atom()));
    }
    return { kind: "sequence", parts };
  }

  #repeats(part: PatternNode): PatternNode {
    const next = this.#peek();
    if (next === undefined || !"*+?{".includes(next)) return part;
    if (part.kind === "start" || part.kind === "end") throw this.#error("something that can be repeated before it");
    this.#at++;
    const [minimum, maximum] =
      next === "*"
        ? [0, Number.POSITIVE_INFINITY]
        : next === "+"
          ? [1, Number.POSITIVE_INFINITY]
          : next === "?"
            ? [0, 1]
            : this.#bounds();
    // Lazy or greedy, the same texts match.
    this.#take("?");
    const again = this.#peek();
    if (again !== undefined && "*+?{".includes(again)) throw this.#error("a group around what is repeated twice");
    return { kind: "repeat", part, minimum, maximum };
  }

  #bounds(): [number, number] {
    const minimum = this.#number();
    let maximum = minimum;
    if (this.#take(",")) maximum = this.#peek() === "}" ? Number.POSITIVE_INFINITY : this.#number();
    if (!this.#take("}")) throw this.#error("}");
    if (maximum < minimum) throw this.#error(`a second number of at least ${minimum}`);
    return [minimum, maximum];
  }

  #number(): number {
    let digits = "";
    for (let next = this.#peek(); next !== undefined && /\d/.test(next); next = this.#peek()) {
      digits += next;
      this.#at++;
    }
    if (digits === "" || Number(digits) > MAX_REPEAT) throw this.#error(`a number up to ${MAX_REPEAT}`);
    return Number(digits);
  }

  #atom(): PatternNode {
    const character = this.#next();
    switch (character) {
      case "(": {
        if (this.#take("?") && !this.#take(":")) throw this.#error(": after (? (other groups are not supported)");
        const node = this.#choice();
        if (!this.#take(")")) throw this.#error(")");
        // A group keeps what is in it apart from a repeat that follows.
        return { kind: "sequence", parts: [node] };
      }
      case ".":
        return { kind: "class", ranges: [], negated: true };
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case "[":
        return this.#brackets();
      case "\\": {
        const escaped = this.#escape(true);
        return this.#class(escaped.ranges, escaped.negated);
      }
      default:
        if ("*+?{}]".includes(character)) {
          this.#at--;
          throw this.#error(`\\${character} for the character itself`);
        }
        return this.#class([only(character)], false);
    }
  }

  #brackets(): PatternNode {
    const negated = this.#take("^");
    const ranges: CodeRange[] = [];
    do {
      const first = this.#bracketItem();
      if (this.#peek() === "-" && this.#characters[this.#at + 1] !== "]") {
        this.#at++;
        const last = this.#bracketItem();
        const [from] = first[0] ?? [];
        const [to] = last[0] ?? [];
        if (first.length !== 1 || last.length !== 1 || from === undefined || to === undefined || from > to) {
          throw this.#error("a range from a lower character to a higher one");
        }
        ranges.push([from, to]);
      } else {
        ranges.push(...first);
      }
    } while (!this.#take("]"));
    return this.#class(ranges, negated);
  }

  #bracketItem(): readonly CodeRange[] {
    const character = this.#next();
    if (character === "\\") return this.#escape(false).ranges;
    if (character === "[" || character === "]") {
      this.#at--;
      throw this.#error(`\\${character} for the character itself`);
    }
    return [only(character)];
  }

  #escape(mayNegate: boolean): { ranges: readonly CodeRange[]; negated: boolean } {
    const character = this.#next();
    const named = CLASSES[character.toLowerCase()];
    if (named !== undefined && (mayNegate || character === character.toLowerCase())) {
      return { ranges: named, negated: character !== character.toLowerCase() };
    }
    const control = CONTROLS[character];
    if (control !== undefined) return { ranges: [[control, control]], negated: false };
    if (/[A-Za-z0-9]/.test(character) || (character.codePointAt(0) ?? 0) > 0x7e) {
      this.#at--;
      throw this.#error(
        "an escape that both PostgreSQL and JavaScript have: \\d \\w \\s \\t \\n \\r or \\ before punctuation",
      );
    }
    return { ranges: [only(character)], negated: false };
  }

  #class(ranges: readonly CodeRange[], negated: boolean): PatternNode {
    return { kind: "class", ranges: this.#ignoreCase ? ranges.flatMap(withOtherCase) : ranges, negated };
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) throw this.#error("more of the pattern");
    this.#at++;
    return character;
  }

  #take(character: string): boolean {
    if (this.#characters[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #error(wanted: string): WhereError {
    const found = this.#characters[this.#at];
    const offset = this.#characters.slice(0, this.#at).join("").length;
    return new WhereError(
      this.#position + offset,
      found === undefined ? "the end of the pattern" : `"${found}" in the pattern`,
      wanted,
    );
  }
}

function only(character: string): CodeRange {
  const code = character.codePointAt(0) ?? 0;
  return [code, code];
}

/** A range, and its ASCII letters in the other case. */
function withOtherCase(range: CodeRange): CodeRange[] {
  const shifted = (from: number, to: number, shift: number): CodeRange[] => {
    const first = Math.max(range[0], from);
    const last = Math.min(range[1], to);
    return first <= last ? [[first + shift, last + shift]] : [];
  };
  return [range, ...shifted(0x41, 0x5a, 0x20), ...shifted(0x61, 0x7a, -0x20)];
}
