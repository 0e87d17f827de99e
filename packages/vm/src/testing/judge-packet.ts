// SPDX-License-Identifier: Apache-2.0

import { packetLine, programOf, runOf } from "./describe-run.ts";
import { hexDiff } from "./hex-diff.ts";
import type { Judgement } from "./matchers.ts";

/** Whether a program left the packet as it should be. */
export function judgePacket(received: unknown, wanted: Uint8Array): Judgement {
  const result = runOf(received);
  const { data, input } = result;
  const pass = data.length === wanted.length && data.every((byte, i) => byte === wanted[i]);
  const before = input === undefined ? "" : `\n  went in: ${packetLine(input)}`;
  return {
    pass,
    message: [
      `${programOf(result)} left another packet than wanted${before}`,
      `- wanted:  ${packetLine(wanted)}`,
      `+ is:      ${packetLine(data)}`,
      "",
      hexDiff(wanted, data),
    ].join("\n"),
    unwanted: `${programOf(result)} left this packet, which it should not\n  ${packetLine(wanted)}`,
  };
}
