// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { program } from "../../packages/cli/src/program.ts";
import { isAsShown } from "./guide-block.ts";

/** What is called with the bytes of a write when they are written. */
type Written = (error?: Error | null) => void;

let printed = "";
process.stdout.write = (chunk: string | Uint8Array, encoding?: BufferEncoding | Written, done?: Written): boolean => {
  printed += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
  (typeof encoding === "function" ? encoding : done)?.();
  return true;
};

/** Compares what was printed since the last call with what the guide shows. */
export async function shown(place: string, expected: string): Promise<void> {
  const found = taken();
  if (!isAsShown(found, expected)) throw new Error(`${place} prints\n${found}\nwhere the guide shows\n${expected}`);
}

/** Runs commands of `skep`, as they are typed, and compares what the last one prints when the guide shows that. */
export async function commands(place: string, lines: readonly string[], expected?: string): Promise<void> {
  for (const [index, line] of lines.entries()) {
    const [words, file] = parse(line);
    taken();
    await program().parseAsync(words, { from: "user" });
    const found = taken();
    if (file !== undefined) writeFileSync(file, found);
    const last = index === lines.length - 1;
    if (last && expected !== undefined && !isAsShown(found, expected)) {
      throw new Error(`${place}: skep ${line} prints\n${found}\nwhere the guide shows\n${expected}`);
    }
  }
}

/** What was printed since the last call. */
export function taken(): string {
  const text = printed;
  printed = "";
  return text;
}

/** Words as a shell has them, as far as the guide needs it: quotes, and `> file` at the end. */
function parse(line: string): [words: string[], file: string | undefined] {
  const [, command = "", file] = /^(.*?)(?:\s+>\s*(\S+))?$/.exec(line) ?? [];
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? "",
  );
  return [words, file];
}
