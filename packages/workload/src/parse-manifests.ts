// SPDX-License-Identifier: Apache-2.0

import { dirname, resolve } from "node:path";
import { LineCounter, parseAllDocuments } from "yaml";
import * as z from "zod";
import { type Manifest, manifestHeader, type Placement } from "./manifest.ts";
import { ManifestError, type ManifestProblem } from "./manifest-error.ts";
import { nearest } from "./nearest.ts";
import { checkSchema, type SchemaProblem } from "./schema-problems.ts";
import { memberOf } from "./schema-walk.ts";
import { either, formatPath, quote } from "./value-text.ts";
import type { Workload } from "./workload.ts";
import { YamlDocument } from "./yaml-document.ts";

/** Largest manifest file, in bytes of UTF-8. */
export const MAX_MANIFEST_BYTES = 1024 * 1024;

/** Most documents in one file; beyond that it is no file that anyone wrote. */
const MAX_DOCUMENTS = 1000;

/** How `parseManifests` reads. */
export interface ParseManifestsOptions {
  /** Names the text in errors. Relative paths of a spec start from its folder; `-` stands for the working folder. */
  readonly file: string;
  /** The kinds that may be named. */
  readonly kinds: readonly Workload<unknown>[];
}

/** What a text gave: the manifests that are right, and what is wrong with the others. */
export interface ParsedManifests {
  readonly manifests: readonly Manifest[];
  readonly problems: readonly ManifestProblem[];
}

/**
 * Reads the manifests of a text: YAML 1.2 or JSON, one or several documents. A text of comments alone holds none;
 * an empty one is refused, for it is most often a file that is just being written. Throws ManifestError with all
 * problems of all documents.
 */
export function parseManifests(text: string, options: ParseManifestsOptions): Manifest[] {
  const { manifests, problems } = collectManifests(text, options);
  const all = [...problems, ...duplicateNames(manifests)];
  if (all.length > 0) throw new ManifestError(all);
  return [...manifests];
}

/** Like `parseManifests`, but returns the problems, and leaves names given twice to `duplicateNames`. */
export function collectManifests(text: string, options: ParseManifestsOptions): ParsedManifests {
  const { file, kinds } = options;
  const refuse = (message: string): ParsedManifests => ({
    manifests: [],
    problems: [{ file, document: undefined, line: undefined, column: undefined, path: "", message }],
  });
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_MANIFEST_BYTES) return refuse(`the file is ${bytes} bytes, wanted at most ${MAX_MANIFEST_BYTES}`);
  if (text.trim() === "") return refuse("the file is empty, wanted at least one manifest");

  const lines = new LineCounter();
  let documents: YamlDocument[];
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      intAsBigInt: true,
    });
    documents = Array.isArray(parsed) ? parsed.map((document) => new YamlDocument(document, lines)) : [];
  } catch (error) {
    // The parser follows nesting by recursion.
    if (error instanceof RangeError) return refuse("the file is nested too deeply");
    throw error;
  }
  if (documents.length > MAX_DOCUMENTS) {
    return refuse(`the file holds ${documents.length} documents, wanted at most ${MAX_DOCUMENTS}`);
  }

  const base = file === "-" ? process.cwd() : dirname(resolve(file));
  const manifests: Manifest[] = [];
  const problems: ManifestProblem[] = [];
  for (const [index, document] of documents.entries()) {
    if (document.empty) continue;
    const report = (offset: number, problem: Omit<ManifestProblem, "file" | "document" | "line" | "column">) => {
      const { line, col } = lines.linePos(offset);
      problems.push({ file, document: index, line, column: col, ...problem });
    };
    for (const { offset, path, message } of document.problems) report(offset, { path, message });
    if (document.problems.length > 0) continue;

    const { value } = document;
    const kind = kinds.find((each) => each.kind === memberOf(value, "kind"));
    const result = checkSchema(documentSchema(kind), value);
    const refused: SchemaProblem[] = "problems" in result ? [...result.problems] : [];
    if (kind === undefined) refused.push(...unknownKind(value, kinds));
    for (const { path, key, ...problem } of refused) {
      const offset = key === true ? document.offset(path.slice(0, -1), String(path.at(-1))) : document.offset(path);
      report(offset, { path: formatPath(path), ...problem });
    }
    if (refused.length > 0 || "problems" in result) continue;
    const { placement, ...rest } = result.value;
    const source = { file, base, document: index, line: lines.linePos(document.offset([])).line };
    manifests.push({ ...rest, ...(placement === undefined ? {} : { placement }), source });
  }
  return { manifests, problems };
}

/** A problem for each manifest whose kind and name an earlier one has. */
export function duplicateNames(manifests: readonly Manifest[]): ManifestProblem[] {
  const seen = new Map<string, Manifest>();
  const problems: ManifestProblem[] = [];
  for (const manifest of manifests) {
    const { kind, metadata, source } = manifest;
    const first = seen.get(`${kind} ${metadata.name}`)?.source;
    if (first === undefined) {
      seen.set(`${kind} ${metadata.name}`, manifest);
      continue;
    }
    const message = `${kind} ${quote(metadata.name)} is given twice; first in ${first.file}:${first.line}`;
    problems.push({
      file: source.file,
      document: source.document,
      line: source.line,
      column: 1,
      path: "metadata.name",
      message,
    });
  }
  return problems;
}

/** The fields of a document as its schema returns them. */
type DocumentFields = Omit<Manifest, "source" | "placement"> & { readonly placement?: Placement | undefined };

function documentSchema(kind: Workload<unknown> | undefined): z.ZodType<DocumentFields> {
  return z.strictObject({ ...manifestHeader, spec: kind?.schema ?? z.unknown() });
}

/** What is wrong with `kind` when it is a string, but none of the kinds; the schema sees to the rest. */
function unknownKind(value: unknown, kinds: readonly Workload<unknown>[]): SchemaProblem[] {
  const name = memberOf(value, "kind");
  if (typeof name !== "string") return [];
  const known = kinds.map((each) => each.kind);
  const suggestion = nearest(name, known);
  const wanted = known.length === 0 ? "none, for no kinds are known here" : either(known);
  const hint = suggestion === undefined ? `wanted ${wanted}` : `did you mean ${quote(suggestion)}?`;
  return [
    {
      path: ["kind"],
      message: `unknown kind ${quote(name)}; ${hint}`,
      found: quote(name),
      wanted,
      ...(suggestion === undefined ? {} : { suggestion }),
    },
  ];
}
