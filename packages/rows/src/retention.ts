// SPDX-License-Identifier: Apache-2.0

import { RowsError } from "./errors.ts";

/** How much of a stream is kept. Without a limit, all of it. */
export interface Retention {
  /** Rows older than this many seconds go, a whole chunk at a time. */
  readonly age?: number;
  /** When a stream's table and indexes take more bytes than this, the oldest chunks go. */
  readonly size?: number;
}

const DURATIONS: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/**
 * Reads a duration such as `90s`, `15m` or `1d12h` as seconds. Units: us, ms, s, m, h, d, w.
 *
 * @throws {@link RowsError} with code `ERR_DURATION`
 */
export function parseDuration(text: string): number {
  if (!/^(\d+(\.\d+)?[a-z]+)+$/.test(text)) throw durationError(text);
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)([a-z]+)/g)) {
    const factor = DURATIONS[unit ?? ""];
    if (factor === undefined) throw durationError(text);
    seconds += Number(count) * factor;
  }
  return seconds;
}

/**
 * Reads a size such as `512MiB` or `2GB` as bytes. Units: B, kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB
 * (powers of 1024).
 *
 * @throws {@link RowsError} with code `ERR_SIZE`
 */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(text);
  const factor = SIZES[match?.[2] ?? ""];
  const bytes = Math.round(Number(match?.[1]) * (factor ?? 0));
  if (factor === undefined || !Number.isSafeInteger(bytes)) {
    throw new RowsError(
      "ERR_SIZE",
      `"${text}" is no size; wanted a number and a unit (${Object.keys(SIZES).join(", ")}), such as 1GiB`,
    );
  }
  return bytes;
}

function durationError(text: string): RowsError {
  return new RowsError(
    "ERR_DURATION",
    `"${text}" is no duration; wanted numbers with units (${Object.keys(DURATIONS).join(", ")}), such as 7d or 1h30m`,
  );
}
