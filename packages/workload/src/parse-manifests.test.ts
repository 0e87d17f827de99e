// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { tableName } from "./manifest.ts";
import { ManifestError } from "./manifest-error.ts";
import { parseManifests } from "./parse-manifests.ts";
import type { Workload } from "./workload.ts";

function kind(name: string, schema: z.ZodType): Workload<unknown> {
  return { kind: name, schema, streams: () => [], start: () => Promise.reject(new Error("only parsed here")) };
}

const attachment = z.union([
  z.strictObject({ tracepoint: z.string() }),
  z.strictObject({ kprobe: z.string(), retprobe: z.boolean().default(false) }),
  z.string(),
]);
const collector = kind(
  "Collector",
  z.strictObject({
    object: z.string().min(1),
    level: z.enum(["debug", "info", "warn"]).default("info"),
    streams: z.array(z.strictObject({ map: z.string(), pages: z.int().min(1).max(1024).optional() })).min(1),
    attach: z.array(attachment).default([]),
    variables: z.record(z.string().regex(/^\w+$/), z.union([z.number(), z.bigint(), z.string()])).default({}),
  }),
);
const proxy = kind(
  "Proxy",
  z.strictObject({
    health: z.discriminatedUnion("type", [
      z.strictObject({ type: z.literal("tcp"), port: z.int() }),
      z.strictObject({ type: z.literal("http"), path: z.string().startsWith("/", "a path begins with a slash") }),
    ]),
  }),
);
const kinds = [collector, proxy];

const exec = `apiVersion: skep/v1alpha1
kind: Collector
metadata: { name: exec }
spec:
  object: exec.bpf.o
  streams: [{ map: events }]
`;

function header(kindName: string, spec: string): string {
  return `apiVersion: skep/v1alpha1\nkind: ${kindName}\nmetadata: { name: a }\nspec:\n${spec}`;
}

function refusal(text: string): ManifestError {
  try {
    parseManifests(text, { file: "edge.yaml", kinds });
  } catch (error) {
    if (error instanceof ManifestError) return error;
    throw error;
  }
  throw new Error("the text was accepted");
}

const messages = (text: string): string[] => refusal(text).message.split("\n");

describe("parseManifests", () => {
  it("reads several documents and fills in defaults", () => {
    const text = `# two of them\n${exec}---\n---\n${header("Proxy", "  health: { type: tcp, port: 80 }\n")}`;
    const [first, second, ...rest] = parseManifests(text, { file: "/etc/skep/edge.yaml", kinds });
    expect(rest).toEqual([]);
    expect(first).toEqual({
      apiVersion: "skep/v1alpha1",
      kind: "Collector",
      metadata: { name: "exec", labels: {} },
      spec: { object: "exec.bpf.o", level: "info", streams: [{ map: "events" }], attach: [], variables: {} },
      source: { file: "/etc/skep/edge.yaml", base: "/etc/skep", document: 0, line: 2 },
    });
    expect(second?.source).toEqual({ file: "/etc/skep/edge.yaml", base: "/etc/skep", document: 2, line: 10 });
  });

  it("reads JSON", () => {
    const document = { apiVersion: "skep/v1alpha1", kind: "Proxy", metadata: { name: "a", labels: { site: "ams" } } };
    const json = JSON.stringify({
      ...document,
      placement: { nodes: { site: "ams" } },
      spec: { health: { type: "tcp", port: 1 } },
    });
    expect(parseManifests(json, { file: "-", kinds })[0]).toMatchObject({
      metadata: { labels: { site: "ams" } },
      placement: { nodes: { site: "ams" } },
      source: { file: "-", base: process.cwd() },
    });
  });

  it("takes a text of comments for no manifests, and refuses an empty one", () => {
    expect(parseManifests("# nothing today\n", { file: "a.yaml", kinds })).toEqual([]);
    expect(messages(" \n")).toEqual(["edge.yaml: the file is empty, wanted at least one manifest"]);
  });

  it("names every problem of every document, each with its place", () => {
    const text = `apiVersion: skep/v1
kind: Collector
metadata: { name: Exec, lables: {} }
spec:
  object: 5
  streams:
    - mapp: events
      pages: 0
---
kind: Colector
metadata:
  name: b
spec: {}
`;
    const error = refusal(text);
    expect(error.code).toBe("ERR_MANIFEST");
    expect(error.message.split("\n")).toEqual([
      'edge.yaml:1:13: apiVersion: found "skep/v1", wanted "skep/v1alpha1"',
      'edge.yaml:3:19: metadata.name: found "Exec": a name is 1 to 63 lower-case letters, digits and "-", and begins with a letter',
      'edge.yaml:3:25: metadata.lables: unknown key; did you mean "labels"?',
      "edge.yaml:5:11: spec.object: found the number 5, wanted a string",
      "edge.yaml:7:7: spec.streams[0].map: missing, wanted a string",
      "edge.yaml:8:14: spec.streams[0].pages: found the number 0, wanted a number of at least 1",
      'edge.yaml:7:7: spec.streams[0].mapp: unknown key; did you mean "map"?',
      'edge.yaml:10:1: apiVersion: missing, wanted "skep/v1alpha1"',
      'edge.yaml:10:7: kind: unknown kind "Colector"; did you mean "Collector"?',
    ]);
    expect(error.problems[6]).toEqual({
      file: "edge.yaml",
      document: 0,
      line: 7,
      column: 7,
      path: "spec.streams[0].mapp",
      message: 'unknown key; did you mean "map"?',
      found: '"mapp"',
      wanted: "map or pages",
      suggestion: "map",
    });
    expect(error.problems[7]).toMatchObject({ document: 1, line: 10 });
  });

  it("lists what is known when nothing is near", () => {
    expect(messages(`${exec}zebra: 1\n`)).toEqual([
      "edge.yaml:7:1: zebra: unknown key; wanted apiVersion, kind, metadata, placement or spec",
    ]);
    expect(messages(exec.replace("Collector", "Zebra"))).toEqual([
      'edge.yaml:2:7: kind: unknown kind "Zebra"; wanted Collector or Proxy',
    ]);
  });

  it("lets the alternative of a union speak that was probably meant", () => {
    const spec =
      '  object: a\n  streams: [{ map: b }]\n  attach:\n    - kprob: vfs_read\n    - { kprobe: x, retprobe: "yes" }\n    - 5\n    - {}\n';
    expect(messages(header("Collector", spec))).toEqual([
      "edge.yaml:8:7: spec.attach[0].kprobe: missing, wanted a string",
      'edge.yaml:8:7: spec.attach[0].kprob: unknown key; did you mean "kprobe"?',
      'edge.yaml:9:30: spec.attach[1].retprobe: found "yes", wanted true or false',
      "edge.yaml:10:7: spec.attach[2]: found the number 5, wanted a map with tracepoint, a map with kprobe or a string",
      "edge.yaml:11:7: spec.attach[3]: found a map, wanted a map with tracepoint, a map with kprobe or a string",
    ]);
  });

  it("knows the keys of the alternative that a discriminator chooses", () => {
    expect(messages(header("Proxy", "  health: { type: http, path: x, prt: 1 }\n"))).toEqual([
      'edge.yaml:5:31: spec.health.path: found "x": a path begins with a slash',
      "edge.yaml:5:34: spec.health.prt: unknown key; wanted type or path",
    ]);
    expect(messages(header("Proxy", "  health: { type: htp }\n"))).toEqual([
      'edge.yaml:5:19: spec.health.type: found "htp", wanted "tcp" or "http"; did you mean "http"?',
    ]);
  });

  it("names wrong enum values, lists too short, keys that do not fit", () => {
    const spec = "  object: ''\n  level: inf\n  streams: []\n  variables: { 'a b': 1, c: [1] }\n";
    expect(messages(header("Collector", spec))).toEqual([
      'edge.yaml:5:11: spec.object: found "", wanted at least 1 character',
      'edge.yaml:6:10: spec.level: found "inf", wanted "debug", "info" or "warn"; did you mean "info"?',
      "edge.yaml:7:12: spec.streams: found a list, wanted at least 1 item",
      'edge.yaml:8:16: spec.variables["a b"]: found the key "a b", wanted a string that matches /^\\w+$/',
      "edge.yaml:8:29: spec.variables.c: found a list, wanted a number, a whole number or a string",
    ]);
  });

  it("keeps whole numbers beyond 2^53 exact", () => {
    const text = header(
      "Collector",
      "  object: a\n  streams: [{ map: b }]\n  variables: { big: 18446744073709551615, small: 7 }\n",
    );
    expect(parseManifests(text, { file: "a", kinds })[0]?.spec).toMatchObject({
      variables: { big: 2n ** 64n - 1n, small: 7 },
    });
    expect(
      messages(header("Collector", "  object: a\n  streams: [{ map: b, pages: 18446744073709551615 }]\n")),
    ).toEqual([
      "edge.yaml:6:30: spec.streams[0].pages: found the number 18446744073709551615, wanted a number up to 2^53 - 1",
    ]);
  });

  it("refuses a document that is not a map", () => {
    expect(messages("- 1\n")).toEqual([
      "edge.yaml:1:1: found a list, wanted a map with apiVersion, kind, metadata and spec",
    ]);
    expect(messages("apiVersion: skep/v1alpha1\nkind: 7\nmetadata: { name: a }\nspec: {}\n")).toEqual([
      "edge.yaml:2:7: kind: found the number 7, wanted a string",
    ]);
  });

  it("refuses a missing spec", () => {
    expect(messages("apiVersion: skep/v1alpha1\nkind: Proxy\nmetadata: { name: a }\n")).toEqual([
      "edge.yaml:1:1: spec: missing, wanted a map with health",
    ]);
  });

  it("refuses YAML that is broken, with the place", () => {
    expect(refusal("kind: [a\nb: c: d\n").problems[0]).toMatchObject({ file: "edge.yaml", document: 0, line: 2 });
    expect(messages("kind: !secret a\n")).toEqual(["edge.yaml:1:7: unresolved tag: !secret"]);
  });

  it("refuses keys given twice, keys that are no words, and __proto__", () => {
    expect(messages("a:\n  - b: 1\n    c: 2\n    b: 3\n")).toEqual([
      'edge.yaml:4:5: a[0].b: key "b" is given twice; first in line 2',
    ]);
    expect(messages("a: 1\n? [x]\n: 2\n")).toEqual(["edge.yaml:2:3: a key must be a word"]);
    expect(messages("spec: { __proto__: { a: 1 } }\n")).toEqual(["edge.yaml:1:9: spec.__proto__: unknown key"]);
  });

  it("refuses aliases that lead nowhere, into themselves, or blow up", () => {
    expect(messages("a: *b\n")).toEqual(["edge.yaml:1:4: a: alias *b names an anchor that does not exist"]);
    expect(messages("a: &x [1, *x]\n")).toEqual(["edge.yaml:1:11: a[1]: alias *x is part of what it names"]);
    const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 9; i++)
      bomb.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      );
    expect(messages(bomb.join("\n"))).toEqual(["edge.yaml:1:1: aliases repeat one another too often"]);
    expect(messages(`a: &a 1\nb: [${Array(101).fill("*a").join(", ")}]`)).toEqual([
      expect.stringContaining("b[100]: more than 100 aliases"),
    ]);
  });

  it("finds the place of a problem behind an alias", () => {
    expect(messages(header("Collector", "  object: a\n  streams:\n    - &s { map: 4 }\n    - *s\n"))).toEqual([
      "edge.yaml:7:17: spec.streams[0].map: found the number 4, wanted a string",
      "edge.yaml:7:17: spec.streams[1].map: found the number 4, wanted a string",
    ]);
  });

  it("refuses files that are too large, too deep or too wrong, in bounded time", () => {
    expect(messages(`#${"x".repeat(1024 * 1024)}`)).toEqual([
      "edge.yaml: the file is 1048577 bytes, wanted at most 1048576",
    ]);
    expect(refusal("[".repeat(300_000)).problems.length).toBeGreaterThan(0);
    expect(messages("---\n".repeat(2000))).toEqual(["edge.yaml: the file holds 2000 documents, wanted at most 1000"]);
    const keys = Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join("\n");
    const error = refusal(`${exec}${keys}`);
    expect(error.problems).toHaveLength(100);
    expect(error.message.split("\n").at(-1)).toBe("and 50 more");
  });

  it("refuses one name for two workloads of a kind, but not of different kinds", () => {
    expect(messages(`${exec}---\n${exec}`)).toEqual([
      'edge.yaml:8:1: metadata.name: Collector "exec" is given twice; first in edge.yaml:1',
    ]);
    const other = header("Proxy", "  health: { type: tcp, port: 80 }\n").replace("name: a", "name: exec");
    expect(parseManifests(`${exec}---\n${other}`, { file: "a", kinds })).toHaveLength(2);
  });

  it("answers any text with manifests or a ManifestError", () => {
    const pieces = fc.constantFrom(
      "kind",
      ": ",
      "- ",
      "\n",
      "  ",
      "{",
      "}",
      "[",
      "]",
      "&a",
      "*a",
      "!t",
      "'",
      '"',
      "|",
      "#",
      "---\n",
      "? ",
      "é",
      "\0",
      exec,
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        try {
          expect(Array.isArray(parseManifests(parts.join(""), { file: "a", kinds }))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(ManifestError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("tableName", () => {
  it("gives different names different tables", () => {
    expect(tableName("edge-proxy-2")).toBe("edge_proxy_2");
  });
});
