// SPDX-License-Identifier: Apache-2.0

import type { Document, LineCounter, Node, ParsedNode } from "yaml";
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, visit } from "yaml";
import { formatPath, quote } from "./value-text.ts";

/** Aliases that a document may have, and how often what they name may be repeated through one another. */
const MAX_ALIASES = 100;

/** More of them tell nobody anything, and finding each one's path costs time. */
const MAX_PROBLEMS = 100;

/** Something wrong with a document as YAML, before any schema. */
export interface YamlProblem {
  /** Offset in the text, in UTF-16 code units. */
  readonly offset: number;
  readonly path: string;
  readonly message: string;
}

/** One document of a YAML file: its value, and where in the text each part of it stands. */
export class YamlDocument {
  /** What made it unreadable. When there is any, `value` is undefined. */
  readonly problems: readonly YamlProblem[];
  /** Undefined for an empty document, too. */
  readonly value: unknown;
  readonly #document: Document.Parsed;

  constructor(document: Document.Parsed, lines: LineCounter) {
    this.#document = document;
    const syntax = [...document.errors, ...document.warnings].slice(0, MAX_PROBLEMS).map((error) => ({
      offset: error.pos[0],
      path: "",
      message: lowerFirst(error.message),
    }));
    const problems = syntax.length > 0 ? syntax : checkNodes(document, lines);
    if (problems.length === 0 && document.contents !== null) {
      try {
        this.value = document.toJS({ maxAliasCount: MAX_ALIASES });
      } catch (error) {
        if (!(error instanceof ReferenceError)) throw error;
        problems.push({ offset: this.offset([]), path: "", message: "aliases repeat one another too often" });
      }
    }
    this.problems = problems;
  }

  /** True for a document of nothing but comments. */
  get empty(): boolean {
    return this.problems.length === 0 && (this.value === undefined || this.value === null);
  }

  /**
   * Offset in the text of the value at a path, or of the nearest part around it that exists. With `key`, of that
   * key in the map there.
   */
  offset(path: readonly PropertyKey[], key?: string): number {
    let node: Node | null = this.#document.contents;
    let offset = node?.range?.[0] ?? 0;
    for (const step of path) {
      const next: unknown = childOf(this.#resolve(node), step)?.value;
      if (!isNode(next)) return offset;
      node = next;
      offset = next.range?.[0] ?? offset;
    }
    if (key === undefined) return offset;
    const keyNode = childOf(this.#resolve(node), key)?.key;
    return (isNode(keyNode) ? keyNode.range?.[0] : undefined) ?? offset;
  }

  #resolve(node: Node | null): Node | null {
    return isAlias(node) ? (node.resolve(this.#document) ?? null) : node;
  }
}

/** The entry of a map, or the item of a list, that a step of a path names. */
function childOf(node: Node | null, step: PropertyKey): { key?: unknown; value: unknown } | undefined {
  if (isSeq(node)) return { value: node.items[Number(step)] };
  if (!isMap(node)) return undefined;
  return node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(step));
}

/**
 * Finds what YAML allows and a manifest does not: keys given twice, keys that are no words, aliases that lead
 * nowhere, into themselves, or are too many. Done here rather than by the parser because its check for double keys
 * compares each key of a map with every other. On the way, whole numbers that a number can hold become one.
 */
function checkNodes(document: Document.Parsed, lines: LineCounter): YamlProblem[] {
  const problems: YamlProblem[] = [];
  let aliases = 0;
  const report = (node: Node | null, ancestors: readonly unknown[], message: string) =>
    problems.push({ offset: node?.range?.[0] ?? 0, path: formatPath(pathTo(ancestors, node)), message });
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === "bigint" && Number.isSafeInteger(Number(node.value))) node.value = Number(node.value);
    },
    Alias(_, node, ancestors) {
      if (++aliases > MAX_ALIASES) {
        report(node, ancestors, `more than ${MAX_ALIASES} aliases`);
        return visit.BREAK;
      }
      const target = node.resolve(document);
      if (target === undefined) report(node, ancestors, `alias *${node.source} names an anchor that does not exist`);
      else if (ancestors.includes(target)) report(node, ancestors, `alias *${node.source} is part of what it names`);
      return undefined;
    },
    Map(_, map, ancestors) {
      const seen = new Map<string, ParsedNode>();
      for (const { key } of map.items as { key: ParsedNode | null }[]) {
        if (problems.length >= MAX_PROBLEMS) return visit.BREAK;
        if (!isScalar(key) || key.value === null) {
          report(key ?? map, [...ancestors, map], "a key must be a word");
          continue;
        }
        const name = String(key.value);
        const first = seen.get(name);
        const path = [...ancestors, map];
        if (name === "__proto__") report(key, path, "unknown key");
        else if (first === undefined) seen.set(name, key);
        else
          report(key, path, `key ${quote(name)} is given twice; first in line ${lines.linePos(first.range[0]).line}`);
      }
      return undefined;
    },
  });
  return problems;
}

/** The path that leads through nested nodes, outermost first, to `last`. */
function pathTo(ancestors: readonly unknown[], last: unknown): PropertyKey[] {
  const path: PropertyKey[] = [];
  const chain = [...ancestors, last];
  for (const [index, node] of chain.entries()) {
    const next = chain[index + 1];
    if (isPair(node) && isScalar(node.key)) path.push(String(node.key.value));
    else if (isMap(node) && isScalar(next)) path.push(String(next.value));
    else if (isSeq(node) && next !== undefined) path.push(node.items.indexOf(next));
  }
  return path;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
