// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Measurement } from "./benchmark.ts";

/** A compiled C program in a folder of its own, which goes with it. */
export interface CProgram extends Disposable {
  /** Where it lies, for those who run it another way than {@link measure}. */
  readonly path: string;
  /** Runs a case; the program prints what a unit of work took and the checksum. */
  measure(...args: readonly string[]): Measurement;
}

/** Compiles a source of `bench/c` with gcc -O2 and links it. Throws with the compiler's message. */
export function compileC(source: string, libraries: readonly string[] = []): CProgram {
  const directory = mkdtempSync(join(tmpdir(), "skep-bench-"));
  const binary = join(directory, "program");
  const remove = (): void => rmSync(directory, { recursive: true });
  try {
    execFileSync("gcc", ["-O2", "-Wall", "-o", binary, join(import.meta.dirname, "../c", source), ...libraries]);
  } catch (error) {
    remove();
    throw new Error(`bench/c/${source} does not compile with gcc`, { cause: error });
  }
  return {
    path: binary,
    measure: (...args) => {
      const output = execFileSync(binary, args, { encoding: "latin1" });
      const [value, checksum] = output.trim().split(" ").map(Number);
      if (value === undefined || checksum === undefined || Number.isNaN(value) || Number.isNaN(checksum)) {
        throw new Error(`${source} ${args.join(" ")}: its output is "${output.trim()}", two numbers are wanted`);
      }
      return { value, checksum };
    },
    [Symbol.dispose]: remove,
  };
}
