// SPDX-License-Identifier: Apache-2.0

import type { CodeRange, Pattern, PatternNode } from "./pattern.ts";

/**
 * Tells whether a pattern matches somewhere in a text, in time proportional to the text's length times the
 * pattern's size, whatever both are: all states are followed at once (Thompson, "Regular Expression Search
 * Algorithm", 1968). A filter comes from whoever has the page open and the texts from any process on the machine;
 * with RegExp, which backtracks, `(a+)+b` could stop the event loop for ever.
 */
export class PatternMatcher {
  readonly #instructions: Instruction[] = [];
  /** States under way and those after the next character, each a list and the step at which it was entered last. */
  #current: number[] = [];
  #next: number[] = [];
  readonly #entered: Float64Array;
  #step = 0;

  constructor(pattern: Pattern) {
    this.#compile(pattern.root);
    this.#instructions.push({ kind: "match" });
    this.#entered = new Float64Array(this.#instructions.length);
  }

  /** Whether the pattern matches in the text. */
  test(text: string): boolean {
    this.#current.length = 0;
    this.#step++;
    let at = 0;
    for (;;) {
      // A match may begin at every character.
      if (this.#follow(0, at, text.length, this.#current)) return true;
      const code = text.codePointAt(at);
      if (code === undefined) return false;
      at += code > 0xffff ? 2 : 1;
      this.#step++;
      this.#next.length = 0;
      for (const state of this.#current) {
        const instruction = this.#instructions[state];
        if (instruction?.kind !== "class" || inRanges(code, instruction.ranges) === instruction.negated) continue;
        if (this.#follow(state + 1, at, text.length, this.#next)) return true;
      }
      [this.#current, this.#next] = [this.#next, this.#current];
    }
  }

  /** Adds a state and those reached from it without a character; true when the match is complete. */
  #follow(first: number, at: number, end: number, into: number[]): boolean {
    const todo = [first];
    for (let state = todo.pop(); state !== undefined; state = todo.pop()) {
      if (this.#entered[state] === this.#step) continue;
      this.#entered[state] = this.#step;
      const instruction = this.#instructions[state];
      switch (instruction?.kind) {
        case "match":
          return true;
        case "class":
          into.push(state);
          break;
        case "split":
          todo.push(...instruction.targets);
          break;
        case "start":
          if (at === 0) todo.push(state + 1);
          break;
        case "end":
          if (at === end) todo.push(state + 1);
          break;
      }
    }
    return false;
  }

  #compile(node: PatternNode): void {
    switch (node.kind) {
      case "sequence":
        for (const part of node.parts) this.#compile(part);
        break;
      case "choice":
        this.#compileChoice(node.parts);
        break;
      case "repeat":
        this.#compileRepeat(node.part, node.minimum, node.maximum);
        break;
      default:
        this.#instructions.push(node);
    }
  }

  #compileChoice(parts: readonly PatternNode[]): void {
    const starts: number[] = [];
    const ends: number[][] = [];
    this.#instructions.push({ kind: "split", targets: starts });
    for (const part of parts) {
      starts.push(this.#instructions.length);
      this.#compile(part);
      const end: number[] = [];
      ends.push(end);
      this.#instructions.push({ kind: "split", targets: end });
    }
    for (const end of ends) end.push(this.#instructions.length);
  }

  #compileRepeat(part: PatternNode, minimum: number, maximum: number): void {
    for (let copy = 0; copy < minimum; copy++) this.#compile(part);
    const skips: number[][] = [];
    for (let copy = minimum; copy < maximum; copy++) {
      const start = this.#instructions.length;
      const targets = [start + 1];
      skips.push(targets);
      this.#instructions.push({ kind: "split", targets });
      this.#compile(part);
      if (maximum === Number.POSITIVE_INFINITY) {
        this.#instructions.push({ kind: "split", targets: [start] });
        break;
      }
    }
    for (const targets of skips) targets.push(this.#instructions.length);
  }
}

/** A state of the automaton. A class takes one character; the others take none. */
type Instruction =
  | { readonly kind: "class"; readonly ranges: readonly CodeRange[]; readonly negated: boolean }
  | { readonly kind: "split"; readonly targets: readonly number[] }
  | { readonly kind: "start" | "end" | "match" };

function inRanges(code: number, ranges: readonly CodeRange[]): boolean {
  for (const [first, last] of ranges) {
    if (code >= first && code <= last) return true;
  }
  return false;
}
