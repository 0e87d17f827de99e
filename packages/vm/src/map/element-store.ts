// SPDX-License-Identifier: Apache-2.0

/**
 * The elements of a map as user space reaches them: bytes in, bytes out. Each operation returns 0, or an error number
 * negated, as the kernel's does; `lookup` and `take` leave `value` as it is when there is nothing.
 */
export interface ElementStore {
  /** Under the value's lock when `lock` is set, which needs a value with one. */
  lookup(key: Uint8Array, value: Uint8Array, lock: boolean): number;
  /** `flags` are 0, NOEXIST or EXIST, with or without LOCK. */
  update(key: Uint8Array, value: Uint8Array, flags: number): number;
  delete(key: Uint8Array): number;
  /** Looks up and deletes in one step. */
  take(key: Uint8Array, value: Uint8Array): number;
  /** The key after one, or the first one. */
  next(key: Uint8Array | undefined, next: Uint8Array): number;
}
