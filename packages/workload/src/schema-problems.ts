// SPDX-License-Identifier: Apache-2.0

import type { $ZodIssue, $ZodRawIssue, $ZodType } from "zod/v4/core";
import { safeParse } from "zod/v4/core";
import { nearest } from "./nearest.ts";
import { describeSchema, describeType, knownKeys, memberOf, schemasAt, unwrap } from "./schema-walk.ts";
import { describeValue, either, quote } from "./value-text.ts";

/** More of them tell nobody anything, and finding each one's place costs time. */
const MAX_PROBLEMS = 100;

type UnionIssue = Extract<$ZodIssue, { code: "invalid_union" }>;

/** What an alternative costs that is of another type altogether. */
const MISMATCH = 1000;

/** Something in a value that its schema refuses. */
export interface SchemaProblem {
  /** Leads to the refused part. */
  readonly path: readonly PropertyKey[];
  /** True when the key that ends `path` is refused rather than its value. */
  readonly key?: boolean;
  readonly message: string;
  readonly found?: string;
  readonly wanted?: string;
  readonly suggestion?: string;
}

/** What checking a value gave: the value as its schema returns it, or why not. */
export type SchemaResult<Value> = { readonly value: Value } | { readonly problems: readonly SchemaProblem[] };

/**
 * Checks a value and puts what zod finds into sentences: what was found, what was wanted, what may have been
 * meant. Of a union's alternatives, the one that was probably meant speaks. A message that a schema gives itself
 * stands as it is. Reports at most 100 problems.
 */
export function checkSchema<Value>(schema: $ZodType<Value>, value: unknown): SchemaResult<Value> {
  const result = safeParse(schema, value, { error: wantedBy, reportInput: true });
  if (result.success) return { value: result.data };
  const problems: SchemaProblem[] = [];
  for (const issue of result.error.issues) {
    problems.push(...explain(schema, value, [], issue));
    if (problems.length >= MAX_PROBLEMS) break;
  }
  return { problems: problems.slice(0, MAX_PROBLEMS) };
}

/** Problems of one issue. `base` leads from the whole value to the part that `schema` and `value` stand for. */
function explain(schema: $ZodType, value: unknown, base: readonly PropertyKey[], issue: $ZodIssue): SchemaProblem[] {
  const path = [...base, ...issue.path];
  const part = issue.path.reduce(memberOf, value);
  const found = describeValue(part);
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = knownKeys(schema, value, issue.path);
      return issue.keys.slice(0, MAX_PROBLEMS).map((key) => unknownKey(path, key, known));
    }
    case "invalid_key": {
      const wanted = issue.issues.map((inner) => inner.message).join(", ");
      const key = quote(String(issue.path.at(-1)));
      return [{ path, key: true, message: `found the key ${key}, wanted ${wanted}`, found: key, wanted }];
    }
    case "invalid_union":
      return explainUnion(schema, value, path, issue);
    default: {
      const wanted = wantedBy(issue as $ZodRawIssue);
      const words = issue.code === "invalid_value" ? issue.values : [];
      if (issue.code !== "custom" && issue.message === wanted) {
        // The schema says it better than its type, unless the value is of that type and does not fit.
        const [declared] = issue.code === "invalid_type" ? schemasAt(schema, value, issue.path) : [];
        const better = declared === undefined || typeof part === "bigint" ? wanted : describeSchema(declared);
        return [mismatch(path, part, better, words)];
      }
      return [{ path, message: `found ${found}: ${issue.message}`, found }];
    }
  }
}

function explainUnion(
  schema: $ZodType,
  value: unknown,
  path: readonly PropertyKey[],
  issue: UnionIssue,
): SchemaProblem[] {
  const part = issue.path.reduce(memberOf, value);
  if (issue.errors.length === 0) {
    // The value that tells the alternatives apart is none of theirs.
    const words = "options" in issue && Array.isArray(issue.options) ? issue.options : [];
    return [mismatch(path, part, either(words.map(describeValue)), words)];
  }
  const options = optionsOf(schema, value, issue);
  const costs = issue.errors.map((issues, index) => cost(issues, options[index], part));
  const lowest = Math.min(...costs);
  const best = costs.indexOf(lowest);
  const option = options[best];
  if (option !== undefined && lowest < MISMATCH && costs.lastIndexOf(lowest) === best) {
    return (issue.errors[best] ?? []).flatMap((inner) => explain(option, part, path, inner));
  }
  const wanted = either([...new Set(options.map(describeSchema))]);
  return [mismatch(path, part, wanted === "" ? "something else" : wanted, [])];
}

/** How much issues speak against an alternative having been meant. */
function cost(issues: readonly $ZodIssue[], option: $ZodType | undefined, part: unknown): number {
  return issues.reduce((sum, issue) => sum + costOf(issue, option, part), 0);
}

function costOf(issue: $ZodIssue, option: $ZodType | undefined, part: unknown): number {
  if (issue.path.length === 0 && issue.code === "invalid_type") return MISMATCH;
  if (issue.path.length === 0 && issue.code === "invalid_union" && issue.errors.length > 0) {
    return Math.min(...issue.errors.map((inner) => cost(inner, undefined, part)));
  }
  // Most often a literal that tells the alternatives apart.
  if (issue.code === "invalid_value") return MISMATCH / 4;
  if (issue.code !== "unrecognized_keys" || option === undefined) return 2;
  const known = knownKeys(option, part, issue.path);
  return issue.keys.slice(0, MAX_PROBLEMS).reduce((sum, key) => sum + (nearest(key, known) === undefined ? 2 : 1), 0);
}

/** The alternatives of the union that an issue is about, in the order of `issue.errors`. */
function optionsOf(schema: $ZodType, value: unknown, issue: UnionIssue): readonly $ZodType[] {
  for (const declared of schemasAt(schema, value, issue.path)) {
    const definition = unwrap(declared)._zod.def;
    if (definition.type === "union" && definition.options.length === issue.errors.length) return definition.options;
  }
  return [];
}

function unknownKey(path: readonly PropertyKey[], key: string, known: readonly string[]): SchemaProblem {
  const suggestion = nearest(key, known);
  const wanted = known.length === 0 ? "no keys" : either(known);
  const hint = suggestion === undefined ? `wanted ${wanted}` : `did you mean ${quote(suggestion)}?`;
  return {
    path: [...path, key],
    key: true,
    message: `unknown key; ${hint}`,
    found: quote(key),
    wanted,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function mismatch(
  path: readonly PropertyKey[],
  part: unknown,
  wanted: string,
  words: readonly unknown[],
): SchemaProblem {
  const suggestion = typeof part === "string" ? nearest(part, words.map(String)) : undefined;
  const found = describeValue(part);
  return {
    path,
    message: `${part === undefined ? "missing" : `found ${found}`}, wanted ${wanted}${
      suggestion === undefined ? "" : `; did you mean ${quote(suggestion)}?`
    }`,
    found,
    wanted,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

/** What an issue of zod asks for, in words that complete "wanted …". */
function wantedBy(issue: $ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      if (typeof issue.input === "bigint" && issue.expected === "number") return "a number up to 2^53 - 1";
      return describeType(String(issue.expected));
    case "invalid_value":
      return either(issue.values.map(describeValue));
    case "too_small":
      return limit(
        issue.origin,
        issue.exact === true ? "exactly" : issue.inclusive === false ? "more than" : "at least",
        issue.minimum,
      );
    case "too_big":
      return limit(
        issue.origin,
        issue.exact === true ? "exactly" : issue.inclusive === false ? "less than" : "at most",
        issue.maximum,
      );
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    case "invalid_format":
      return issue.format === "regex" ? `a string that matches ${issue.pattern}` : `a valid ${issue.format}`;
    default:
      return "something else";
  }
}

/** `at least 1 item`, `at most 10 characters`, `a number of at least 5`. */
function limit(origin: string, relation: string, bound: unknown): string {
  const units: Record<string, string> = { string: "character", array: "item", set: "item", map: "key", object: "key" };
  const unit = units[origin];
  return unit === undefined
    ? `a number of ${relation} ${bound}`
    : `${relation} ${bound} ${unit}${bound === 1 ? "" : "s"}`;
}
