// SPDX-License-Identifier: Apache-2.0

import { Option } from "commander";
import { print } from "./print.ts";
import { printableJson, printableYaml } from "./safe-text.ts";
import { formatTable } from "./table.ts";

/** How a command prints: for people, or for programs. */
export type OutputFormat = "table" | "json" | "yaml";

/** Characters that are printed at once. */
const PIECE = 1 << 16;

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

/** Prints a list whole as `printData` does, without ever holding all of it: a map may have millions of entries. */
export async function printItems(items: Iterable<unknown>, format: "json" | "yaml"): Promise<void> {
  await printPieces(format === "json" ? jsonItems(items) : yamlItems(items));
}

/** Prints texts, many at once. */
export async function printPieces(texts: Iterable<string>): Promise<void> {
  let piece = "";
  for (const text of texts) {
    piece += text;
    if (piece.length < PIECE) continue;
    await print(piece);
    piece = "";
  }
  if (piece !== "") await print(piece);
}

function* jsonItems(items: Iterable<unknown>): Generator<string> {
  let before = "[";
  for (const item of items) {
    yield printableJson(`${before}\n  ${toJson(item, 2).replaceAll("\n", "\n  ")}`);
    before = ",";
  }
  yield before === "[" ? "[]\n" : "\n]\n";
}

function* yamlItems(items: Iterable<unknown>): Generator<string> {
  let empty = true;
  for (const item of items) {
    yield printableYaml([JSON.parse(toJson(item))]);
    empty = false;
  }
  if (empty) yield printableYaml([]);
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
