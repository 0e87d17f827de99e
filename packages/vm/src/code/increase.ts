// SPDX-License-Identifier: Apache-2.0

/** Adds to an element. */
export function increase(array: Int32Array, index: number, amount: number): void {
  array[index] = (array[index] as number) + amount;
}
