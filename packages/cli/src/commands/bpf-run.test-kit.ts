// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { program } from "../program.ts";

/** An object with programs of several types, which run on packets. */
export const packetObject: string = fileURLToPath(
  new URL("../../../vm/test-objects/packet-programs.bpf.o", import.meta.url),
);

/** Runs `skep bpf run` in the test's own process and returns what it prints. */
export interface BpfRun extends Disposable {
  (...args: readonly string[]): Promise<string>;
  /** What was printed by the last call so far, also when it failed. */
  readonly printed: string;
}

/** Takes standard output over until it is disposed. */
export function bpfRunPrinter(): BpfRun {
  let printed = "";
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text, ...rest: unknown[]) => {
    printed += String(text);
    for (const each of rest) if (typeof each === "function") each();
    return true;
  });
  const run = async (...args: readonly string[]): Promise<string> => {
    printed = "";
    await program().parseAsync(["bpf", "run", ...args], { from: "user" });
    return printed;
  };
  Object.defineProperty(run, "printed", { get: () => printed });
  return Object.assign(run, { [Symbol.dispose]: () => spy.mockRestore() }) as BpfRun;
}
