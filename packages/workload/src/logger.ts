// SPDX-License-Identifier: Apache-2.0

import { isatty } from "node:tty";
import { type DestinationStream, type Level, type Logger, destination as openDestination, pino } from "pino";
import { formatLogLine } from "./line-format.ts";

/** What `createLogger` makes. */
export interface LoggerOptions {
  /** Least level that is written. Default `info`. */
  readonly level?: Level | "silent";
  /** Default: `line` when standard error is a terminal and nothing else was given as destination, `json` otherwise. */
  readonly format?: "line" | "json";
  /** Where lines go. Default: standard error, written synchronously, so that the last words of a process are seen. */
  readonly destination?: DestinationStream;
}

const STDERR = 2;

/** A pino logger. Logs go to standard error because standard output belongs to rows. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const format = options.format ?? (options.destination === undefined && isatty(STDERR) ? "line" : "json");
  const output = options.destination ?? openDestination({ fd: STDERR, sync: true });
  const stream = format === "json" ? output : { write: (json: string) => output.write(formatLogLine(json)) };
  return pino({ level: options.level ?? "info", base: null }, stream);
}
