// SPDX-License-Identifier: Apache-2.0

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { batchOf } from "../batch-from-rows.ts";
import type { RowSchema } from "../row-schema.ts";
import { openStore, type RowStore } from "../store/row-store.ts";
import { compilePredicate } from "./compile-predicate.ts";
import { parseWhere } from "./parse-where.ts";

const schema: RowSchema = {
  name: "filtered",
  columns: [
    { name: "id", type: "i32" },
    { name: "small", type: "i16" },
    { name: "big", type: "i64" },
    { name: "huge", type: "u64" },
    { name: "wide", type: "u32" },
    { name: "real", type: "f64" },
    { name: "flag", type: "bool" },
    { name: "at", type: "time" },
    { name: "comm", type: "text" },
    { name: "args", type: "texts" },
    { name: "raw", type: "bytes" },
    { name: "source", type: "ip" },
    { name: "stack", type: "addresses" },
  ],
};
const now = Date.UTC(2026, 0, 31) * 1000;

/** Values that are hard to compare, of each type; the same appear as literals. */
const TEXTS = [
  "",
  "a",
  "A",
  "aa",
  "ab\n",
  "a.b",
  "é",
  "z",
  "\uffee",
  "😀",
  "%",
  "_",
  "\\",
  "b'c",
  'b"c',
  "a b",
  "10",
  "x\ty",
];
const VALUES = {
  small: [-32768, -1, 0, 1, 32767],
  big: [-(2n ** 63n), -(2n ** 53n) - 1n, -1n, 0n, 2n ** 53n + 1n, 2n ** 63n - 1n],
  huge: [0n, 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n],
  wide: [0, 1, 2 ** 31, 2 ** 32 - 1],
  real: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 0.1, 1e-300, 1e300],
  flag: [true, false],
  at: [0, now, now - 1, now + 1, now + 0.5, -(2 ** 53) + 1],
  comm: TEXTS,
  args: [[], [""], ["a"], ["é", "a b"], TEXTS],
  raw: [new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(0x1f, 0xff)],
  source: ["0.0.0.0", "10.0.0.1", "::", "::1", "::ffff:10.0.0.1", "fe80::1"],
  stack: [[], [0n], [1n, 0xffffffff81000000n], [2n ** 64n - 1n]],
} as const;

const ROWS = 400;
const pick = <Value>(values: readonly Value[], seed: number): Value | null => {
  const index = seed % (values.length + 1);
  return index === values.length ? null : (values[index] as Value);
};

// Strides that share no factor with the lengths: all columns run through their values independently.
const rows = Array.from({ length: ROWS }, (_, id) => ({
  time: now + (id % 7) - 3,
  id,
  ...Object.fromEntries(
    Object.entries(VALUES).map(([name, values], column) => [
      name,
      pick<unknown>(values, id * (2 * column + 1) + Math.floor(id / 13)),
    ]),
  ),
}));
const batch = batchOf(schema, { node: "ämsterdam", workload: "w" }, rows);

const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
const comparison = fc.constantFrom("=", "!=", "<", "<=", ">", ">=");
const equality = fc.constantFrom("=", "!=");
const whole = fc.constantFrom(
  "-9223372036854775809",
  "-32769",
  "-1",
  "0",
  "1",
  "0x10",
  "32767",
  "4294967295",
  "9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "18446744073709551615",
  "18446744073709551616",
  "99999999999999999999999",
);
const text = fc.constantFrom(...TEXTS, "b", "c").map(quoted);
const moment = fc
  .constantFrom("now", "-1us", "1us", "-5m", "2026-01-31", "1970-01-01T00:00:00Z", "1700-01-01")
  .map(quoted);
const address = fc.constantFrom(...VALUES.source, "10.0.0.2").map(quoted);
const pattern = fc
  .constantFrom(
    "a",
    "^a",
    "^$",
    "b$",
    "\\.",
    ".",
    "^.$",
    "[^a]",
    "\\w",
    "^\\W+$",
    "\\s",
    "(a|é)+",
    "(?i)A",
    "a\\nb",
    "\n",
    "😀",
    "[é-\uffff]",
    "x?y{0,2}",
    "\\\\",
    "^(?:a.)*b",
    "%",
  )
  .map(quoted);

const leaf = fc.oneof(
  fc.tuple(fc.constantFrom("small", "big", "huge", "wide", "id"), comparison, whole).map((parts) => parts.join(" ")),
  fc
    .tuple(comparison, fc.constantFrom("0", "0.1", "1e300", "-1", "1e-300"))
    .map(([operator, value]) => `real ${operator} ${value}`),
  fc.tuple(fc.constantFrom("time", "at"), comparison, moment).map((parts) => parts.join(" ")),
  fc.tuple(fc.constantFrom("comm", "node"), comparison, text).map((parts) => parts.join(" ")),
  fc
    .tuple(fc.constantFrom("comm", "args", "node", "stack"), fc.constantFrom("~", "!~"), pattern)
    .map((parts) => parts.join(" ")),
  fc
    .tuple(fc.constantFrom("comm", "args", "workload", "stack"), fc.constant("contains"), text)
    .map((parts) => parts.join(" ")),
  fc.tuple(fc.constant("args"), equality, text).map((parts) => parts.join(" ")),
  fc.tuple(fc.constant("source"), equality, address).map((parts) => parts.join(" ")),
  fc.tuple(equality, fc.constantFrom("0x", "0x00", "0x1fff")).map(([operator, value]) => `raw ${operator} ${value}`),
  fc
    .tuple(equality, fc.constantFrom("0x0", "0xffffffff81000000"))
    .map(([operator, value]) => `stack ${operator} ${value}`),
  fc
    .tuple(fc.constantFrom("in", "not in"), fc.array(whole, { minLength: 1, maxLength: 3 }))
    .map(([operator, list]) => `huge ${operator} (${list.join(",")})`),
  fc
    .tuple(
      fc.constantFrom("args", "comm"),
      fc.constantFrom("in", "not in"),
      fc.array(text, { minLength: 1, maxLength: 3 }),
    )
    .map(([column, operator, list]) => `${column} ${operator} (${list.join(",")})`),
  fc
    .tuple(fc.constantFrom(...Object.keys(VALUES), "time", "node"), fc.constantFrom("is null", "is not null"))
    .map((parts) => parts.join(" ")),
  fc.constantFrom("flag", "flag = false", "flag != true"),
  text,
);
const filter = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie("filter").map((inner) => `not (${inner})`),
    fc
      .tuple(tie("filter"), fc.constantFrom("and", "or"), tie("filter"))
      .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
  ),
})).filter;

let folder: string;
let store: RowStore;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "skep-where-"));
  chmodSync(folder, 0o711);
  store = await openStore({ data: join(folder, "data") });
  const sink = store.sink();
  await sink.open(schema);
  await sink.write([batch], 1);
  await sink.close();
});

afterAll(async () => {
  await store?.close();
  rmSync(folder, { recursive: true });
});

async function selectedBySql(text: string): Promise<number[]> {
  const ids: number[] = [];
  const where = parseWhere(text, schema, { now });
  for await (const some of store.query(schema.name, { where, columns: ["id"] }))
    ids.push(...some.map(({ id }) => Number(id)));
  return ids.toSorted((a, b) => a - b);
}

function selectedByPredicate(text: string): number[] {
  const predicate = compilePredicate(parseWhere(text, schema, { now }));
  return rows.map(({ id }) => id).filter((id) => predicate(batch, id));
}

describe("a filter", () => {
  it("selects the same rows in PostgreSQL and in memory", async () => {
    let selections = 0;
    await fc.assert(
      fc.asyncProperty(filter, async (text) => {
        const expected = selectedByPredicate(text);
        if (expected.length > 0 && expected.length < ROWS) selections++;
        expect(await selectedBySql(text)).toEqual(expected);
      }),
      { numRuns: 600 },
    );
    // Filters that select all or nothing prove little.
    expect(selections).toBeGreaterThan(200);
  });

  it("keeps quotes and SQL in values away from the statement", async () => {
    for (const text of [`comm = "'; drop table skep.streams; --"`, `comm contains "b'c"`, `"$1"`, `comm ~ "'"`]) {
      expect(await selectedBySql(text)).toEqual(selectedByPredicate(text));
    }
    expect(await store.streams()).toHaveLength(1);
  });
});
