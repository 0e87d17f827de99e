// SPDX-License-Identifier: Apache-2.0

import { NotSupportedError, ProgramType, Verdict } from "@skep/ebpf";
import { type AnyResult, inputLine, programOf, runOf } from "./describe-run.ts";
import type { Judgement } from "./matchers.ts";
import type { TestRedirect } from "./test-program.ts";

/** Where a packet should go: an interface's index or the key of a map, or all that is to be looked at. */
export type WantedRedirect = number | Partial<Pick<TestRedirect, "kind" | "target" | "flags" | "map">>;

/**
 * Whether a program sent its packet where it should, and said so by its verdict. Throws NotSupportedError for results of engines
 * that do not tell.
 */
export function judgeRedirect(received: unknown, wanted: WantedRedirect): Judgement {
  const result = runOf(received);
  if (result.tellsRedirects !== true) {
    throw new NotSupportedError("telling where a packet is redirected, of what is not run by a VmEngine,");
  }
  const fields = typeof wanted === "number" ? { target: wanted } : wanted;
  const { redirect } = result;
  const asks = saysSo(result);
  const there =
    redirect !== undefined &&
    Object.entries(fields).every(([name, value]) => redirect[name as keyof TestRedirect] === value);
  const found =
    redirect === undefined
      ? "sent the packet nowhere"
      : asks
        ? `sent the packet to ${placeOf(redirect)}`
        : `said ${result.verdict}, so that the packet did not go to ${placeOf(redirect)}`;
  return {
    pass: asks && there,
    message: `${programOf(result)} ${found}, wanted is ${placeOf(fields)}${inputLine(result)}`,
    unwanted: `${programOf(result)} sent the packet to ${placeOf(fields)}, which it should not${inputLine(result)}`,
  };
}

/** Whether the verdict is one that sends the packet where a helper said. */
function saysSo({ program, returned }: AnyResult): boolean {
  switch (program?.type) {
    case ProgramType.XDP:
      return returned === Verdict.XDP_REDIRECT;
    case ProgramType.SK_SKB:
    case ProgramType.SK_MSG:
      return returned === Verdict.SK_PASS;
    default:
      // TC_ACT_REDIRECT and BPF_REDIRECT.
      return returned === Verdict.TC_ACT_REDIRECT;
  }
}

function placeOf({ kind, target, map, flags }: Partial<TestRedirect>): string {
  const where = map === undefined ? (kind ?? "interface or key") : `map "${map}", key`;
  const to = target === undefined ? where.replace(/, key$/, "") : `${where} ${target}`;
  return flags === undefined || flags === 0n ? to : `${to} with flags 0x${flags.toString(16)}`;
}
