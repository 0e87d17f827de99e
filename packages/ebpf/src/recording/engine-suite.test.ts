// SPDX-License-Identifier: Apache-2.0

import { suiteObject } from "@skep/testbed";
import { type EngineCase, engineCases, type Need, runCase } from "@skep/testbed/engine-suite";
import { VmEngine } from "@skep/vm";
import { describe, it } from "vitest";
import { PlayerEngine } from "./player.ts";
import { type Recording, readRecording } from "./read-recording.ts";
import { RecordingEngine } from "./recorder.ts";

/** What a player cannot do: nothing runs in it, and its maps are nobody's but the caller's. */
const lacks: ReadonlyMap<Need, string> = new Map<Need, string>([
  ["lock", "the player's values have no locks"],
  ["lpm", "the player's tries are hashes"],
  ["memory", "the player has no memory but that of data sections"],
  ["references", "the player's maps hold no maps and no programs"],
  ["reader", "the player delivers all that was recorded, to each reader"],
  ["specs", "the player makes maps that no kernel would"],
  ["verifier", "the player does not look at programs"],
]);

/** What the case makes an engine without a kernel do. */
async function record(suiteCase: EngineCase): Promise<Recording> {
  const chunks: Uint8Array[] = [];
  const engine = new RecordingEngine(new VmEngine({ memory: 16 << 20 }), {
    write: (chunk) => chunks.push(chunk.slice()),
    node: "suite",
    kernel: "none",
    cpus: 1,
    objects: [],
  });
  await runCase(suiteCase, { engine, object: suiteObject });
  return readRecording(new Uint8Array(Buffer.concat(chunks)));
}

describe("the engine suite on the player of a recording", () => {
  it.for(engineCases.map((each) => [each.name, each] as const))("%s", async ([, suiteCase], ctx) => {
    const recording = await record(suiteCase);
    // As fast as it can be: what was recorded is there at once.
    const engine = new PlayerEngine(recording, { speed: 1e9 });
    const skipped = await runCase(suiteCase, { engine, object: suiteObject }, lacks);
    if (skipped !== undefined) ctx.skip(skipped);
  });
});
