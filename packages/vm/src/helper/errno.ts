// SPDX-License-Identifier: Apache-2.0

/** Error numbers as helpers return them, negated (include/uapi/asm-generic/errno*.h). */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  E2BIG: 7,
  EFAULT: 14,
  EBUSY: 16,
  EINVAL: 22,
  ENOSPC: 28,
  ERANGE: 34,
  EDEADLK: 35,
  EOPNOTSUPP: 95,
} as const;
