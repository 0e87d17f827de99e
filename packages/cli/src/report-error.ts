// SPDX-License-Identifier: Apache-2.0

import { VerifierError } from "@skep/ebpf";

/** Prints an error for people and sets the exit code to 1. commander exits by itself, with 1, for a call it cannot parse. */
export function reportError(error: unknown): void {
  process.exitCode = 1;
  // Whoever reads our output has gone, as in `skep rows exec | head`.
  if (isErrno(error, "EPIPE")) return;
  if (error instanceof Error && "code" in error) {
    process.stderr.write(`skep: ${error.message}\n`);
    if (error instanceof VerifierError) process.stderr.write(`\n${error.log}\n`);
    return;
  }
  // Not one of ours: a defect, so the stack is wanted.
  process.stderr.write(`skep: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
