// SPDX-License-Identifier: Apache-2.0

import { explainVerifierError, VerifierError } from "@skep/ebpf";
import { ReaderGoneError } from "./output/print.ts";
import { printableLines } from "./output/safe-text.ts";

/**
 * Prints an error for people and sets the exit code to 1; what objects, files and servers wrote into its message
 * cannot draw on the terminal. commander exits by itself, with 1, for a call it cannot parse.
 */
export function reportError(error: unknown): void {
  if (error instanceof ReaderGoneError) return;
  process.exitCode = 1;
  for (const each of errorsIn(error)) process.stderr.write(`skep: ${printableLines(describe(each))}\n`);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof VerifierError) return explainVerifierError(error);
  // Without a code it is not one of ours: a defect, so the stack is wanted.
  return "code" in error ? error.message : (error.stack ?? error.message);
}

/** The errors that stand behind one that only gathers them, in the order in which they came. */
function errorsIn(error: unknown): unknown[] {
  if (error instanceof SuppressedError) return [...errorsIn(error.suppressed), ...errorsIn(error.error)];
  if (error instanceof AggregateError) return error.errors.flatMap(errorsIn);
  return [error];
}
