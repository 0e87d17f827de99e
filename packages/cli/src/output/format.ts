// SPDX-License-Identifier: Apache-2.0

import { Option } from "commander";
import { print } from "./print.ts";
import { printableJson, printableYaml } from "./safe-text.ts";
import { formatTable } from "./table.ts";

/** How a command prints: for people, or for programs. */
export type OutputFormat = "table" | "json" | "yaml";

/** `-o`, as every command that prints data has it. */
export function outputOption(): Option {
  return new Option("-o, --output <format>", "how to print").choices(["table", "json", "yaml"]).default("table");
}

/** Prints data: as a table with the cells that `row` picks, or whole as JSON or YAML. */
export async function printList<T>(
  items: readonly T[],
  format: OutputFormat,
  headings: readonly string[],
  row: (item: T) => readonly string[],
): Promise<void> {
  if (format === "table") await print(formatTable(headings, items.map(row)));
  else await printData(items, format);
}

/** Prints data whole, as JSON or YAML. */
export async function printData(data: unknown, format: "json" | "yaml"): Promise<void> {
  const json = toJson(data, 2);
  await print(format === "json" ? printableJson(`${json}\n`) : printableYaml(JSON.parse(json)));
}

/** Data as JSON, on one line unless `indent` says otherwise. */
export function toJson(data: unknown, indent?: number): string {
  return JSON.stringify(data, plain, indent);
}

/** JSON has no bigint, Map or bytes: a number where it is exact, else text; an object; hexadecimal. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return value;
}
