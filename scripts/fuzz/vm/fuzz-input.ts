// SPDX-License-Identifier: Apache-2.0

import { ProgramType } from "@skep/ebpf";
import { Random } from "../../../packages/ebpf/src/fuzz/random.ts";
import { HASH_KEYS } from "./fuzz-maps.ts";
import { number64, randomBytes } from "./values.ts";

/** What a program is run on. */
export interface FuzzInput {
  readonly data: Uint8Array;
  /** `struct __sk_buff`; undefined for XDP. */
  readonly context: Uint8Array | undefined;
  readonly direct: Uint8Array;
  readonly array: readonly Uint8Array[];
  /** Values by key; absent ones are undefined. */
  readonly hash: readonly (Uint8Array | undefined)[];
  readonly queue: readonly Uint8Array[];
  readonly stack: readonly Uint8Array[];
}

const CONTEXT_SIZE = 192;
/** Fields of `struct __sk_buff` that may come from outside: mark, priority, cb, tstamp. */
const CONTEXT_WORDS = [8, 32, 48, 52, 56, 60, 64];
const ETHERNET_SIZE = 14;

/** The input of a seed. */
export function generateInput(seed: number, type: number): FuzzInput {
  const random = new Random(seed ^ 0x5bd1e995);
  const value = (size: number): Uint8Array => {
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < size; at += 8) view.setBigUint64(at, number64(random), true);
    return bytes;
  };
  const data = randomBytes(random, ETHERNET_SIZE + 1 + random.below(random.below(4) === 0 ? 500 : 90));
  // IPv4, IPv6, where the kernel wants a whole header, or something else.
  const kind = random.below(4);
  if (kind === 0 && data.length >= ETHERNET_SIZE + 20) data.set([0x08, 0x00, 0x45], 12);
  else if (kind === 1 && data.length >= ETHERNET_SIZE + 40) data.set([0x86, 0xdd, 0x60], 12);
  else data[12] = 0x77;
  let context: Uint8Array | undefined;
  if (type !== ProgramType.XDP) {
    context = new Uint8Array(CONTEXT_SIZE);
    const view = new DataView(context.buffer);
    for (const at of CONTEXT_WORDS) view.setUint32(at, random.next(), true);
  }
  return {
    ...{ data, context, direct: value(64) },
    array: Array.from({ length: 4 }, () => value(16)),
    // Some are there, never more than fit.
    hash: Array.from({ length: HASH_KEYS }, (_, key) => (key < 8 && random.below(2) === 0 ? value(16) : undefined)),
    queue: Array.from({ length: random.below(5) }, () => value(8)),
    stack: Array.from({ length: random.below(5) }, () => value(8)),
  };
}
