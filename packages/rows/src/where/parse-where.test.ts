// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { batchOf } from "../batch-from-rows.ts";
import type { RowSchema } from "../row-schema.ts";
import { compilePredicate } from "./compile-predicate.ts";
import { parseWhere } from "./parse-where.ts";
import { WhereError } from "./where-error.ts";

const schema: RowSchema = {
  name: "exec",
  columns: [
    { name: "pid", type: "u32" },
    { name: "cgroup", type: "u64" },
    { name: "delta", type: "i64" },
    { name: "load", type: "f64" },
    { name: "comm", type: "text" },
    { name: "args", type: "texts" },
    { name: "truncated", type: "bool" },
    { name: "started", type: "time" },
    { name: "source", type: "ip" },
    { name: "raw", type: "bytes" },
    { name: "stack", type: "addresses" },
  ],
};
const now = Date.UTC(2026, 0, 31, 12) * 1000;

const batch = batchOf(schema, { node: "ams-1", workload: "exec" }, [
  {
    time: now - 60e6,
    pid: 100,
    cgroup: 2n ** 63n,
    delta: -5n,
    load: 0.5,
    comm: "bash",
    args: ["-c", "echo x y"],
    truncated: true,
    started: now - 3600e6,
    source: "10.0.0.1",
    raw: Uint8Array.of(0x1f, 0),
    stack: [0xffffffff81000000n],
  },
  { time: now, pid: 200, cgroup: 7n, delta: 5n, load: 2, comm: "curl", args: [], truncated: false, source: "::1" },
  { time: now + 60e6 },
]);

function select(text: string): number[] {
  const predicate = compilePredicate(parseWhere(text, schema, { now }));
  return [0, 1, 2].filter((row) => predicate(batch, row));
}

describe("a filter", () => {
  it.each<[string, number[]]>([
    ["", [0, 1, 2]],
    ['comm = "bash" and pid >= 100 or args contains "none"', [0]],
    ["comm = bash or (comm = curl and not pid = 100)", [0, 1]],
    ["not pid = 100", [1, 2]],
    ["pid != 100", [1]],
    ["pid in (1, 0x64)", [0]],
    ["pid not in (100, 5)", [1]],
    ["pid is null", [2]],
    ["pid IS NOT NULL", [0, 1]],
    ["cgroup > 9223372036854775807", [0]],
    ["cgroup < 18446744073709551616", [0, 1]],
    ["cgroup > -1", [0, 1]],
    ["delta < 0", [0]],
    ["delta >= -9223372036854775809", [0, 1]],
    ["load > 0.25 and load < 1e1", [0, 1]],
    ["args = '-c'", [0]],
    ["args != '-c'", [1]],
    ["args contains 'x y'", [0]],
    ["args ~ '^echo'", [0]],
    ["args !~ '^echo'", [1]],
    ["comm ~ '^(ba|z)sh$'", [0]],
    ["comm !~ a", [1]],
    ["comm > b and comm < bb", [0]],
    ["truncated", [0]],
    ["not truncated", [1, 2]],
    ["truncated = false", [1]],
    ["time > -30s", [1, 2]],
    ["time <= now", [0, 1]],
    ["time >= 2026-01-31T12:00:00Z", [1, 2]],
    ['time = "2026-01-31 11:59"', [0]],
    ["started > -2h", [0]],
    ["source = 10.0.0.1", [0]],
    ["source in (::2, 0:0:0:0:0:0:0:1)", [1]],
    ["raw = 0x1f00", [0]],
    ["stack = 0xffffffff81000000", [0]],
    ["stack contains ffff", [0]],
    ["node = ams-1 and workload ~ ex", [0, 1, 2]],
    ["bash", [0]],
    ['"x y"', [0]],
    ["cur or x", [0, 1]],
    ['"pid"', []],
  ])("%s", (text, rows) => expect(select(text)).toEqual(rows));

  it.each<[string, number, string, string]>([
    ["pdi = 5", 0, '"pdi"', "a column: time, node, workload, pid, cgroup"],
    ["pid = x", 6, '"x"', 'a whole number for column "pid" (u32)'],
    ["pid = 1.5", 6, '"1.5"', "a whole number"],
    ["pid =", 5, "the end", "a whole number"],
    ["pid", 3, "the end", 'an operator after column "pid"'],
    ["pid contains 5", 4, '"contains"', 'column "pid" (u32) is not text'],
    ["truncated > true", 10, '">"', "has no order"],
    ["source < ::1", 7, '"<"', "has no order"],
    ["(pid = 1", 8, "the end", '")"'],
    ["pid = 1)", 7, '")"', "and, or, or the end"],
    ["pid = 1 comm = x", 8, '"comm"', "and, or, or the end"],
    ["comm = 'x", 7, '"\'"', "a closing quote"],
    ["pid in 5", 7, '"5"', '"("'],
    ["pid in (5", 9, "the end", '"," or ")"'],
    ["pid is 5", 7, '"5"', "null or not null"],
    ["and", 0, '"and"', "a column or a text to look for"],
    ["time > tomorrow", 7, '"tomorrow"', "a time such as"],
    ["comm ~ '(a'", 10, "the end of the pattern", ")"],
    ["pid ! 5", 4, '"!"', "!= or !~"],
    ["comm = '\0'", 8, "a character", "a filter without it"],
  ])("refuses %j at %i", (text, position, found, wanted) => {
    const error = caught(() => parseWhere(text, schema));
    expect(error).toBeInstanceOf(WhereError);
    expect(error).toMatchObject({
      position,
      found: expect.stringContaining(found),
      wanted: expect.stringContaining(wanted),
    });
  });

  it("is bounded in length, depth and terms", () => {
    expect(() => parseWhere("x".repeat(9000), schema)).toThrow("at most 8192");
    expect(() => parseWhere(`${"(".repeat(2000)}x`, schema)).toThrow("at most 64 levels");
    expect(() => parseWhere(`${"not ".repeat(2000)}x`, schema)).toThrow("at most 64 levels");
    expect(() => parseWhere(`pid in (${"1,".repeat(1200)}1)`, schema)).toThrow("at most 1000 terms");
  });

  it("finds nothing in a column that an older batch lacks, and refuses one of another type", () => {
    const old = batchOf({ name: "exec", columns: [{ name: "comm", type: "text" }] }, { node: "n", workload: "w" }, [
      { comm: "x" },
    ]);
    expect(compilePredicate(parseWhere("pid = 1 or args = x", schema))(old, 0)).toBe(false);
    expect(compilePredicate(parseWhere("pid is null", schema))(old, 0)).toBe(true);
    const other = batchOf({ name: "exec", columns: [{ name: "pid", type: "text" }] }, { node: "n", workload: "w" }, [
      {},
    ]);
    expect(() => compilePredicate(parseWhere("pid = 1", schema))(other, 0)).toThrow("made for type u32");
  });
});

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
