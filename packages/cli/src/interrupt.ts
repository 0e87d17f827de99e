// SPDX-License-Identifier: Apache-2.0

/** SIGINT and SIGTERM as an AbortSignal. */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

/** Two signals within this many milliseconds are one request: npm passes on the Ctrl-C that the terminal sends too. */
const SAME_REQUEST_MS = 1000;

/** How long output that nobody reads may hold the process after an interrupted command ended, in milliseconds. */
const UNREAD_OUTPUT_MS = 500;

/** Aborts the signal at the first SIGINT or SIGTERM. A later one ends the process at once. */
export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  let first: number | undefined;
  const abort = (): void => {
    if (first !== undefined && performance.now() - first > SAME_REQUEST_MS) process.exit(130);
    first ??= performance.now();
    controller.abort();
  };
  process.on("SIGINT", abort);
  process.on("SIGTERM", abort);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      process.off("SIGINT", abort);
      process.off("SIGTERM", abort);
      // Everything is closed by now. What may be left is a write to a pipe that is full.
      if (controller.signal.aborted) setTimeout(() => process.exit(), UNREAD_OUTPUT_MS).unref();
    },
  };
}

/** Resolves when any of the signals is aborted. */
export async function untilAborted(...signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  if (any.aborted) return;
  await new Promise((resolve) => any.addEventListener("abort", resolve, { once: true }));
}
