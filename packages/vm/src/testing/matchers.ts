// SPDX-License-Identifier: Apache-2.0

import type { VerdictName } from "@skep/ebpf";
import type { MatcherState, SyncMatcherResult } from "vitest";
import { judgeEntry } from "./judge-entry.ts";
import { judgePacket } from "./judge-packet.ts";
import { judgeRedirect, type WantedRedirect } from "./judge-redirect.ts";
import { judgeVerdict } from "./judge-verdict.ts";

/** Whether what was expected is so, and what to say when it is not as it should be. */
export interface Judgement {
  readonly pass: boolean;
  /** Said when it is not so. */
  readonly message: string;
  /** Said when it is so, and should not be. */
  readonly unwanted: string;
}

/** What `expect` can say of runs and maps. `loadForTest` registers them. */
export interface BpfMatchers<R> {
  /** Of a run: what the program said, such as `"XDP_DROP"` or `"TC_ACT_SHOT"`, or the number that it returned. */
  toHaveVerdict(verdict: VerdictName | number): R;
  /** Of a run: the packet as the program left it, byte by byte. */
  toHavePacket(packet: Uint8Array): R;
  /** Of a run: where the packet went, with a verdict that sends it there. A number is an interface, or the key of a map. */
  toHaveRedirectedTo(target: WantedRedirect): R;
  /**
   * Of a map: an entry with that key, and that value when one is given: as `toEqual` compares. What is wanted of a per-CPU map
   * is the sum over all CPUs, unless it is an array.
   */
  toHaveEntry(key: unknown, value?: unknown): R;
}

declare module "vitest" {
  interface Matchers<R, T> extends BpfMatchers<R> {}
}

/** The matchers as `expect.extend` takes them; `loadForTest` does so. */
export const matchers: {
  readonly [K in keyof BpfMatchers<void>]: (
    this: MatcherState,
    received: unknown,
    ...expected: Parameters<BpfMatchers<void>[K]>
  ) => SyncMatcherResult;
} = {
  toHaveVerdict(received, verdict) {
    return resultOf(judgeVerdict(received, verdict));
  },
  toHavePacket(received, packet) {
    return resultOf(judgePacket(received, packet));
  },
  toHaveRedirectedTo(received, target) {
    return resultOf(judgeRedirect(received, target));
  },
  toHaveEntry(received, key, ...value) {
    const equals = (a: unknown, b: unknown): boolean => this.equals(a, b, [...this.customTesters]);
    return resultOf(judgeEntry(received, key, value.length === 0 ? undefined : { value: value[0] }, equals));
  },
};

function resultOf({ pass, message, unwanted }: Judgement): SyncMatcherResult {
  return { pass, message: () => (pass ? unwanted : message) };
}
