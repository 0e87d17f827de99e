// SPDX-License-Identifier: Apache-2.0

import { SkepError, type SkepErrorOptions } from "@skep/ebpf";

/** Error numbers that map operations give, as the kernel's do. */
export const MapErrno = {
  EPERM: 1,
  ENOENT: 2,
  E2BIG: 7,
  EAGAIN: 11,
  ENOMEM: 12,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  ENOTSUPP: 524,
} as const;

const texts: Readonly<Record<string, string>> = {
  EPERM: "operation not permitted",
  ENOENT: "no such key",
  E2BIG: "no room for it",
  ENOMEM: "no entry can be given up",
  EBUSY: "its lock is held",
  EEXIST: "the key is there already",
  ENODEV: "no such device",
  EINVAL: "invalid argument",
  ENOSPC: "no room for it",
  EOVERFLOW: "too large",
  EOPNOTSUPP: "not an operation of this type",
  ENOTSUPP: "not an operation of this type",
};

const names = new Map<number, string>(Object.entries(MapErrno).map(([name, errno]) => [errno, name]));

/**
 * An operation on a map failed as it would on the kernel: `map "flows": update failed: E2BIG (no room for it)`. The code is
 * `ERR_MAP`.
 */
export class MapError extends SkepError {
  /** By name, such as `EEXIST`. */
  readonly errnoName: string;
  /** As a positive number. */
  readonly errno: number;

  /** `object` is the map, `detail` a fact that bears on it. */
  constructor(object: string, operation: string, errno: number, detail?: string, options?: SkepErrorOptions) {
    const name = names.get(errno) ?? `errno ${errno}`;
    const text = texts[name];
    const because = detail === undefined ? (text === undefined ? "" : ` (${text})`) : `: ${detail}`;
    super("ERR_MAP", `${object}: ${operation} failed: ${name}${because}`, options);
    this.errno = errno;
    this.errnoName = name;
  }
}
