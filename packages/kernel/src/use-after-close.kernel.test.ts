// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { TempFolder } from "@skep/testbed";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kinds } from "../test-objects/closed/kinds.ts";

const program = fileURLToPath(new URL("../test-objects/use-after-close.ts", import.meta.url));
/** Classes of what kernels lack that the tests run on: arenas (6.9) and links to struct_ops (6.4). */
const ofNewKernels = ["ArenaMapping", "KernelStructOpsMap"];
/** Where the kernel is emulated a process takes ten seconds to start: there one has to do for all kinds. */
const emulated = (process.env.SKEP_TEST_LEG ?? "host") !== "host";
const cache = new TempFolder();

/** What a process said of one kind, and how the process ended. */
interface Ending {
  readonly lines: readonly string[];
  readonly code: number | null;
  readonly signal: string | null;
  readonly errors: string;
}

/** Tries kinds in a process of their own. */
function run(kinds: readonly string[]): Promise<ReadonlyMap<string, Ending>> {
  const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, Ending>>();
  const args = ["--conditions=skep-source", program, ...kinds];
  // Without it each would compile the same sources again, which takes longer than all the rest.
  const env = { ...process.env, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? cache.path };
  const child = execFile(process.execPath, args, { timeout: 300_000, env }, (_error, stdout, errors) => {
    const { exitCode: code, signalCode: signal } = child;
    const texts = stdout.split(/^kind /m).slice(1);
    const said = new Map(texts.map((text) => text.trimEnd().split("\n")).map(([kind = "", ...lines]) => [kind, lines]));
    // One that it did not come to has nothing but the end of the process.
    resolve(new Map(kinds.map((kind) => [kind, { lines: said.get(kind) ?? [], code, signal, errors }])));
  });
  return promise;
}

const told = (endings: Iterable<Ending>, word: string): string[] =>
  [...endings].flatMap(({ lines }) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1)),
  );

describe("whatever is used after it was closed", () => {
  const endings = new Map<string, Ending>();
  beforeAll(async () => {
    const waiting = emulated ? [Object.keys(kinds)] : Object.keys(kinds).map((kind) => [kind]);
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        for (const [kind, ending] of await run(next)) endings.set(kind, ending);
      }
    };
    await Promise.all([work(), work()]);
  }, 600_000);
  afterAll(() => cache[Symbol.dispose]());

  it.for(Object.keys(kinds))("throws ClosedError in a process that lives on: %s", (kind, ctx) => {
    const ending = endings.get(kind);
    if (ending === undefined) throw new Error(`${kind} was not run`);
    const { lines, code, signal, errors } = ending;
    const last = lines.findLast((line) => line.startsWith("member "));
    expect({ code, signal, errors }, `the last that it did: ${last}`).toEqual({ code: 0, signal: null, errors: "" });
    expect(lines.at(-1)).toBe("done");
    expect(told([ending], "wrong")).toEqual([]);
    const [skipped] = told([ending], "skip");
    if (skipped !== undefined) ctx.skip(skipped);
  });

  it("is of one of these kinds", async () => {
    const classes = await run(["--classes"]);
    expect([...classes.values()].map(({ errors }) => errors)).toEqual([""]);
    const closable = told(classes.values(), "class");
    expect(closable.length).toBeGreaterThan(30);
    const seen = new Set(told(endings.values(), "class"));
    const lacking = told(endings.values(), "skip").length > 0 ? ofNewKernels : [];
    const missing = closable.filter((name) => !seen.has(name) && !lacking.includes(name));
    expect(missing, "exported classes that can be closed, and are in no kind of test-objects/closed").toEqual([]);
  });
});
