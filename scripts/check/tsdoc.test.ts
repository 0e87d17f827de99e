// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { formatFinding } from "./finding.ts";
import { parseTree } from "./parse.ts";
import { checkTsdoc } from "./tsdoc.ts";

const path = "packages/x/src/a.ts";

function judge(text: string, others: Readonly<Record<string, string>> = {}): string[] {
  using parsed = parseTree(new Map([[path, text], ...Object.entries(others)]));
  return checkTsdoc(parsed).map(formatFinding);
}

it.each([
  ["function", "export function load(): void {}"],
  ["class", "export class load {}"],
  ["interface", "export interface load {}"],
  ["type", "export type load = string;"],
  ["constant", "export const load = 1;"],
  ["function", "export default function load(): void {}"],
  ["constant", "const load = 1;\nexport { load };"],
])("refuses an exported %s without a comment", (kind, text) => {
  expect(judge(text)).toEqual([`${path}:1: ${kind} load has no doc comment`]);
});

it("accepts comments that say something, and asks none of what is not exported", () => {
  expect(judge("/** Bytes in a page of memory. */\nexport const pageSize = 4096;\nconst hidden = 1;\n")).toEqual([]);
});

it("does not take a plain comment for a doc comment", () => {
  expect(judge("// Bytes in a page of memory.\nexport const pageSize = 4096;")).toHaveLength(1);
});

it("refuses a comment that repeats the name in other words", () => {
  expect(judge("/** Gets the map by its name. */\nexport function mapByName(): void {}")).toEqual([
    `${path}:2: the comment of function mapByName only repeats the name`,
  ]);
  expect(judge("/** The options. */\nexport interface Options {}")[0]).toContain("too short");
});

it("asks the first overload alone for a comment", () => {
  const text = `/** Reads a number or text. */
export function read(a: number): void;
export function read(a: string): void;
export function read(): void {}`;
  expect(judge(text)).toEqual([]);
});

it("leaves re-exports to the file that declares", () => {
  expect(judge(`export { a } from "./b.ts";\nexport * from "./c.ts";`)).toEqual([]);
});

it("reads neither tests nor other folders", () => {
  const text = "export const bare = 1;";
  expect(judge("", { "packages/x/src/a.test.ts": text, "scripts/a.ts": text, "test/a.ts": text })).toEqual([]);
});

const box = `/** Holds one thing at a time. */
export class Box {
  put(): void {}
  #hidden(): void {}
  private inner(): void {}
  close(): void {}
  [Symbol.dispose](): void {}
}`;

it("asks public methods of classes that index.ts exports", () => {
  expect(judge(box)).toEqual([]);
  expect(judge(box, { "packages/x/src/index.ts": `export { Box } from "./a.ts";` })).toEqual([
    `${path}:3: method Box.put has no doc comment`,
  ]);
});

it("takes the comments of an implemented interface for those of the class", () => {
  const text = box.replace("class Box", "class Box implements Container");
  expect(judge(text, { "packages/x/src/index.ts": `export { Box } from "./a.ts";` })).toEqual([]);
});
