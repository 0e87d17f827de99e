// SPDX-License-Identifier: Apache-2.0

import type { Logger } from "pino";
import { watchFiles } from "./watch-files.ts";

/** When to reload. */
export interface ReloadOptions {
  /** Files, and folders of manifests; see `watchFiles`. */
  readonly files: readonly string[];
  /** Ends the watching; a reload that is under way is left to finish. */
  readonly signal: AbortSignal;
  /** Where a reload that fails is told of. */
  readonly logger: Logger;
  /** Also reload at SIGHUP. Default true. */
  readonly sighup?: boolean;
  /** Quiet time in milliseconds after the last event of a change; see `watchFiles`. */
  readonly debounce?: number;
}

/** Why a reload is asked for: the files that changed, or none at SIGHUP. */
export interface ReloadReason {
  readonly changed: readonly string[];
  readonly signal?: "SIGHUP";
}

/**
 * Calls `reload` when a file changes and at SIGHUP, one call at a time: what comes while one is under way leads to
 * one more after it. When a call rejects, that is logged and nothing else happens: `reload` leaves what is in force
 * as it is. Start this before loading for the first time, lest a change between the two be missed.
 */
export function reloadOn(options: ReloadOptions, reload: (reason: ReloadReason) => Promise<void>): void {
  const { files, signal, logger, debounce } = options;
  let waiting: ReloadReason | undefined;
  let running = false;

  const run = async (): Promise<void> => {
    running = true;
    while (waiting !== undefined && !signal.aborted) {
      const reason = waiting;
      waiting = undefined;
      try {
        await reload(reason);
      } catch (err) {
        logger.error({ err }, "reload failed; what was in force stays in force");
      }
    }
    running = false;
  };
  const ask = (reason: ReloadReason): void => {
    const changed = [...new Set([...(waiting?.changed ?? []), ...reason.changed])];
    waiting = { ...waiting, ...reason, changed };
    if (!running) void run();
  };

  watchFiles(files, (changed) => ask({ changed }), { signal, ...(debounce === undefined ? {} : { debounce }) });
  if (options.sighup === false || signal.aborted) return;
  const onHangup = (): void => ask({ changed: [], signal: "SIGHUP" });
  process.on("SIGHUP", onHangup);
  signal.addEventListener("abort", () => process.off("SIGHUP", onHangup), { once: true });
}
