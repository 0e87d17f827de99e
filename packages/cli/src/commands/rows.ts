// SPDX-License-Identifier: Apache-2.0

import { dataFolder } from "../data-folder.ts";
import { findEndpoint } from "../endpoint.ts";
import { HttpRowSource } from "../http-row-source.ts";
import { onInterrupt } from "../interrupt.ts";
import type { OutputFormat } from "../output/format.ts";
import { print } from "../output/print.ts";
import { RowPrinter } from "../output/row-printer.ts";
import type { RowSource } from "../row-source.ts";
import { openStoredRows } from "../store-row-source.ts";

/** Rows that a table shows unless told otherwise. */
const TABLE_ROWS = 50;

/** Options of `skep rows`. */
export interface RowsOptions {
  readonly data?: string;
  readonly store?: string;
  readonly where?: string;
  readonly limit?: number;
  readonly follow?: boolean;
  readonly output: OutputFormat;
}

/**
 * `skep rows STREAM`: prints stored rows, oldest first. With a running `skep up` it asks that; without one it starts
 * the store for as long as it reads. A table shows the newest 50 rows unless told otherwise; JSON and YAML show all.
 */
export async function rows(stream: string, options: RowsOptions): Promise<void> {
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  const printer = new RowPrinter(options.output, (text) => print(text, signal));
  try {
    await using source = await openSource(options);
    if (options.follow === true) await follow(source, stream, options, printer, signal);
    else await printStored(source, stream, options, printer, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    // Following ends so. Anything else is not all that was asked for.
    if (options.follow !== true) process.exitCode = 130;
  }
}

async function printStored(
  source: RowSource,
  stream: string,
  options: RowsOptions,
  printer: RowPrinter,
  signal: AbortSignal,
): Promise<void> {
  const where = options.where === undefined ? {} : { where: options.where };
  const limit = options.limit ?? (options.output === "table" ? TABLE_ROWS : undefined);
  if (limit === undefined) {
    for await (const lines of source.query(stream, { ...where, order: "oldest", signal })) await printer.rows(lines);
    return;
  }
  const newest: string[] = [];
  for await (const lines of source.query(stream, { ...where, limit, order: "newest", signal })) newest.push(...lines);
  await printer.rows(newest.reverse());
}

async function follow(
  source: RowSource,
  stream: string,
  { where, limit = TABLE_ROWS }: RowsOptions,
  printer: RowPrinter,
  signal: AbortSignal,
): Promise<void> {
  for await (const lines of source.follow(stream, where, limit, signal)) await printer.rows(lines);
}

async function openSource(options: RowsOptions): Promise<RowSource> {
  const data = dataFolder(options.data);
  const endpoint = options.store === undefined ? findEndpoint(data) : undefined;
  return endpoint === undefined ? await openStoredRows(data, options.store) : new HttpRowSource(endpoint);
}
