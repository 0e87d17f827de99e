// SPDX-License-Identifier: Apache-2.0

/** Whether an error has one of these codes: an errno's name, or one of Node's own. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
