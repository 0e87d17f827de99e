// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, NotFoundError } from "../errors.ts";
import type { AssemblyInstruction } from "./assembly-instruction.ts";

/**
 * A program's instructions, to be changed in place. What is known of a place (its labels, the function and the line of C
 * that begin there) stays with the place; what is known of an instruction (its map, its extern, its CO-RE relocation)
 * goes where it goes. So jumps and tables are right whatever is put in or taken out.
 *
 * Indices count instructions, not slots. Each method throws InvalidValueError for one that is not there.
 */
export class ProgramEditor {
  readonly #list: AssemblyInstruction[];

  constructor(instructions: readonly AssemblyInstruction[]) {
    this.#list = [...instructions];
  }

  /** As they are now. */
  get instructions(): readonly AssemblyInstruction[] {
    return this.#list;
  }

  /**
   * The index of the place with a label; functions have their names when BTF is given. Throws NotFoundError when there is
   * no such label.
   */
  find(label: string): number {
    const index = this.#list.findIndex(({ labels }) => labels?.includes(label) === true);
    if (index === -1) {
      throw new NotFoundError(
        "label",
        label,
        this.#list.flatMap(({ labels = [] }) => labels),
      );
    }
    return index;
  }

  /** Puts instructions in before one: what led to it runs them, too. */
  insertBefore(index: number, ...added: readonly AssemblyInstruction[]): void {
    const [first, ...others] = added;
    if (first === undefined) return;
    const { place, rest } = split(this.#at(index));
    this.#list.splice(index, 1, put(place, first), ...others, rest);
  }

  /** Puts instructions in behind one: what leads to the next one does not run them. */
  insertAfter(index: number, ...added: readonly AssemblyInstruction[]): void {
    this.#at(index);
    this.#list.splice(index + 1, 0, ...added);
  }

  /** Puts instructions in the place of one. */
  replace(index: number, ...replacement: readonly AssemblyInstruction[]): void {
    const [first, ...others] = replacement;
    if (first === undefined) {
      this.remove(index);
      return;
    }
    this.#list.splice(index, 1, put(split(this.#at(index)).place, first), ...others);
  }

  /**
   * Takes instructions out: what led to them leads to the one behind them. The labels of a function that goes as a whole go
   * with it, so that a call that is left over is an error and not a call of the next one. Throws InvalidValueError when a
   * function that stays would have a label behind its last instruction.
   */
  remove(index: number, count = 1): void {
    for (let i = 0; i < count; i++) {
      const { place } = split(this.#at(index));
      this.#list.splice(index, 1);
      const next = this.#list[index];
      if (next !== undefined && next.functionTypeId === undefined) this.#list[index] = put(place, next);
      else if (place.functionTypeId === undefined && place.labels !== undefined) {
        throw new InvalidValueError(`label "${place.labels[0]}" is behind the last instruction then`);
      }
    }
  }

  #at(index: number): AssemblyInstruction {
    const found = this.#list[index];
    if (found === undefined) {
      throw new InvalidValueError(`there is no instruction ${index}, the program has ${this.#list.length}`);
    }
    return found;
  }
}

/** What belongs to a place rather than to the instruction there. */
type Place = Pick<AssemblyInstruction, "labels" | "line" | "functionTypeId">;

function split(instruction: AssemblyInstruction): { place: Place; rest: AssemblyInstruction } {
  const { labels, line, functionTypeId, ...rest } = instruction;
  return { place: defined({ labels, line, functionTypeId }), rest };
}

/** An instruction in a place: it keeps its own line when it has one. */
function put(place: Place, instruction: AssemblyInstruction): AssemblyInstruction {
  const labels = [...(place.labels ?? []), ...(instruction.labels ?? [])];
  return { ...place, ...instruction, ...(labels.length === 0 ? {} : { labels }) };
}

function defined(place: { [K in keyof Place]: Place[K] | undefined }): Place {
  return Object.fromEntries(Object.entries(place).filter(([, value]) => value !== undefined));
}
