// SPDX-License-Identifier: Apache-2.0

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "./manifest.ts";
import { ManifestError, type ManifestProblem } from "./manifest-error.ts";
import { isManifestFile } from "./manifest-file.ts";
import { collectManifests, duplicateNames, MAX_MANIFEST_BYTES } from "./parse-manifests.ts";
import { readBoundedFile } from "./read-bounded-file.ts";
import type { Workload } from "./workload.ts";

/** How `loadManifests` reads. */
export interface LoadManifestsOptions {
  /** The kinds that may be named. */
  readonly kinds: readonly Workload<unknown>[];
  /** What `-` reads; the process's standard input unless given. */
  readonly stdin?: AsyncIterable<Uint8Array | string>;
}

/**
 * Reads the manifests of files, of all manifest files in folders (not in folders within them), and of `-` for
 * standard input. Throws one ManifestError with all problems of all of them, names given twice and files that
 * cannot be read included.
 */
export async function loadManifests(paths: readonly string[], options: LoadManifestsOptions): Promise<Manifest[]> {
  const texts: { file: string; text: string }[] = [];
  const manifests: Manifest[] = [];
  const problems: ManifestProblem[] = [];
  /** What `read` gives, or undefined and a problem of the file. */
  const attempt = async <T>(file: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const { message } = error;
      problems.push({ file, document: undefined, line: undefined, column: undefined, path: "", message });
      return undefined;
    }
  };
  for (const path of paths) {
    for (const file of (await attempt(path, () => filesOf(path))) ?? []) {
      const text = await attempt(file, () => readText(file, options));
      if (text !== undefined) texts.push({ file, text });
    }
  }
  for (const { file, text } of texts) {
    const parsed = collectManifests(text, { file, kinds: options.kinds });
    manifests.push(...parsed.manifests);
    problems.push(...parsed.problems);
  }
  problems.push(...duplicateNames(manifests));
  if (problems.length > 0) throw new ManifestError(problems);
  return manifests;
}

/** The files that a path stands for. What does not exist stands for itself, so that reading it says so. */
async function filesOf(path: string): Promise<string[]> {
  if (path === "-") return [path];
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isDirectory()) return [path];
  const names = await readdir(path);
  return names
    .filter(isManifestFile)
    .sort()
    .map((name) => join(path, name));
}

async function readText(file: string, options: LoadManifestsOptions): Promise<string> {
  const bytes =
    file === "-" ? await readStream(options.stdin ?? process.stdin) : readBoundedFile(file, MAX_MANIFEST_BYTES);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TypeError("the file is not UTF-8", { cause });
  }
}

/** Reads all, but never more than a manifest may have: what is piped in may have no end. */
async function readStream(input: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > MAX_MANIFEST_BYTES) throw new RangeError(`it is larger, wanted at most ${MAX_MANIFEST_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
