// SPDX-License-Identifier: Apache-2.0

import { addAbortSignal } from "node:stream";
import { SkepError } from "@skep/ebpf";
import { loadManifests, MAX_MANIFEST_BYTES, type Manifest } from "@skep/workload";
import { kinds } from "./kinds.ts";

/**
 * The manifests that a command was given: files, folders, `-` for standard input. They can be loaded again and
 * again; what standard input held is kept from the first time, for it can be read but once.
 */
export class ManifestSource {
  readonly #paths: readonly string[];
  readonly #signal: AbortSignal;
  #input: Promise<readonly Uint8Array[]> | undefined;

  /** @param signal - gives up waiting for standard input */
  constructor(paths: readonly string[], signal: AbortSignal) {
    this.#paths = paths;
    this.#signal = signal;
  }

  /** What may change: all but standard input. */
  get files(): string[] {
    return this.#paths.filter((path) => path !== "-");
  }

  /** Rejects with ManifestError, with a SkepError (`ERR_NO_MANIFEST`) when there are none, or with the signal's reason. */
  async load(): Promise<Manifest[]> {
    let manifests: Manifest[];
    try {
      manifests = await loadManifests(this.#paths, { kinds, stdin: this.#standardInput() });
    } catch (error) {
      this.#signal.throwIfAborted();
      throw error;
    }
    if (manifests.length === 0) {
      throw new SkepError("ERR_NO_MANIFEST", `${this.#paths.join(", ")}: found no manifest, wanted at least one`);
    }
    return manifests;
  }

  async *#standardInput(): AsyncGenerator<Uint8Array> {
    this.#input ??= readAll(addAbortSignal(this.#signal, process.stdin));
    yield* await this.#input;
  }
}

/** Reads to the end, or until there is more than a manifest may have; `loadManifests` refuses that. */
async function readAll(input: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of input) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_MANIFEST_BYTES) break;
  }
  return chunks;
}
