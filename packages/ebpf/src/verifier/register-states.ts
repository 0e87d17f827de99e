// SPDX-License-Identifier: Apache-2.0

/**
 * `R1_w=scalar(smax=umax=255,var_off=(0x0; 0xff))`: the number and the state. Suffixes such as `_w` and `_rw` tell
 * what the verifier has noted about the register's use, until 6.17.
 */
const REGISTER = /\bR(\d+)(?:_[rwD]+)?=((?:[^\s()]|\((?:[^()]|\([^()]*\))*\))*)/g;

/** Registers by their numbers, as one stack frame sees them. */
type Frame = Map<number, string>;

/**
 * Follows the states of the registers through a log. The log tells of changes only, and old kernels not of all: what
 * an instruction writes without the log telling what it wrote is forgotten rather than kept.
 */
export class RegisterStates {
  readonly #frames = new Map<number, Frame>();
  #current = 0;

  /** Takes in what a line says. A `whole` state holds all registers that have one: the others are gone. */
  read(text: string, whole: boolean): void {
    const frame = /\bframe(\d+):/.exec(text)?.[1];
    this.#current = frame === undefined ? 0 : Number(frame);
    let states = this.#frames.get(this.#current);
    if (whole || states === undefined) {
      states = new Map();
      this.#frames.set(this.#current, states);
    }
    for (const [, register, state] of text.matchAll(REGISTER)) {
      if (state !== undefined && state !== "") states.set(Number(register), state);
    }
  }

  /** Forgets what an instruction changes; `text` as the verifier prints it. */
  execute(text: string): void {
    const states = this.#frames.get(this.#current);
    if (states === undefined) return;
    if (text.startsWith("call ")) for (let register = 0; register <= 5; register++) states.delete(register);
    const written = /^(?:lock )?[rw](\d+) (?:[^=\s]{1,3})?=/.exec(text)?.[1];
    if (written !== undefined) states.delete(Number(written));
  }

  /** The registers of the present frame. */
  snapshot(): ReadonlyMap<number, string> {
    return new Map(this.#frames.get(this.#current) ?? []);
  }
}

/** Whether a text holds the state of a register. */
export function hasRegisterState(text: string): boolean {
  return /^\s*(frame\d+:\s*)?R\d+(_[rwD]+)?=/.test(text);
}
