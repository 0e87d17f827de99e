// SPDX-License-Identifier: Apache-2.0

/** Waiting times that double from one failure to the next, up to a limit. */
export class Backoff {
  readonly #first: number;
  readonly #limit: number;
  #next: number;

  /**
   * @param first - milliseconds after the first failure
   * @param limit - milliseconds that no wait exceeds
   */
  constructor(first: number, limit: number) {
    this.#first = first;
    this.#limit = limit;
    this.#next = first;
  }

  /** Milliseconds to wait now; the next call gives twice as many. */
  next(): number {
    const wait = this.#next;
    this.#next = Math.min(this.#limit, wait * 2);
    return wait;
  }

  /** Starts again after a success. */
  reset(): void {
    this.#next = this.#first;
  }
}
