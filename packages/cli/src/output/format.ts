// SPDX-License-Identifier: Apache-2.0

import { Option } from "commander";
import { stringify } from "yaml";
import { formatTable } from "./table.ts";

/** How a command prints: for people, or for programs. */
export type OutputFormat = "table" | "json" | "yaml";

/** `-o`, as every command that prints data has it. */
export function outputOption(): Option {
  return new Option("-o, --output <format>", "how to print").choices(["table", "json", "yaml"]).default("table");
}

/** Prints data: as a table with the cells that `row` picks, or whole as JSON or YAML. */
export function printList<T>(
  items: readonly T[],
  format: OutputFormat,
  headings: readonly string[],
  row: (item: T) => readonly string[],
): void {
  if (format === "table") process.stdout.write(formatTable(headings, items.map(row)));
  else printData(items, format);
}

/** Prints data whole, as JSON or YAML. */
export function printData(data: unknown, format: "json" | "yaml"): void {
  process.stdout.write(
    format === "json" ? `${JSON.stringify(data, plain, 2)}\n` : stringify(JSON.parse(JSON.stringify(data, plain))),
  );
}

/** JSON has no bigint, Map or bytes: a number where it is exact, else text; an object; hexadecimal. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return value;
}
