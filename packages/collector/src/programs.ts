// SPDX-License-Identifier: Apache-2.0

import type { AttachTarget, Collection } from "@skep/ebpf";
import type { CollectorSpec } from "./collector-spec.ts";

/** A collection, and the spec that says which of its programs are attached, and where. */
interface Attachable {
  readonly collection: Collection;
  readonly spec: CollectorSpec;
}

/**
 * Attaches the programs of `next` in place of those of `before`. A program that both have is exchanged at once, so that
 * only for some microseconds neither sees events. When one cannot be attached, all is as it was and the error is thrown.
 */
export function exchangePrograms(before: Attachable | undefined, next: Attachable): void {
  const outgoing = before === undefined ? new Map<string, AttachTarget | undefined>() : targets(before);
  const detached: string[] = [];
  try {
    for (const [name, target] of targets(next)) {
      if (before !== undefined && outgoing.has(name)) {
        for (const link of before.collection.program(name).links) link.close();
        detached.push(name);
      }
      next.collection.program(name).attach(target);
    }
  } catch (cause) {
    detachAll(next.collection);
    for (const name of detached) before?.collection.program(name).attach(outgoing.get(name));
    throw cause;
  }
  if (before !== undefined) detachAll(before.collection);
}

/** Closes every link of a collection. */
export function detachAll(collection: Collection): void {
  for (const link of collection.links) link.close();
}

/** Where each program goes; undefined leaves it to its section. */
function targets({ collection, spec }: Attachable): Map<string, AttachTarget | undefined> {
  const listed = spec.programs ?? [...collection.programs.keys()].map((name) => ({ name, attach: undefined }));
  // zod gives absent keys as undefined ones; nothing that attaches tells them apart.
  return new Map(listed.map(({ name, attach }) => [name, attach as AttachTarget | undefined]));
}
