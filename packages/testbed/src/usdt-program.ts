// SPDX-License-Identifier: Apache-2.0

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { TempFolder } from "./temp-folder.ts";

const sources = join(import.meta.dirname, "../usdt");

/** How the program is linked: its probes in a position-independent or fixed executable, or in a library of its own. */
export type UsdtLinkage = "pie" | "fixed" | "library";

/**
 * A program with USDT probes of provider `skep_test` (`packages/testbed/usdt`), built by gcc into a folder of its own:
 * `kinds` with eight arguments, `request` at two places, `watched` behind a semaphore, `silent` without arguments.
 */
export class UsdtProgram implements Disposable {
  /** The file that has the probes. */
  readonly path: string;
  readonly #executable: string;
  readonly #folder = new TempFolder();

  constructor(linkage: UsdtLinkage) {
    this.#executable = this.#folder.join("app");
    const gcc = (...args: string[]): unknown => execFileSync("gcc", ["-O2", ...args], { cwd: sources });
    try {
      if (linkage === "library") {
        this.path = this.#folder.join("libprobes.so");
        gcc("-shared", "-fPIC", "-o", this.path, "probes.c");
        gcc("-o", this.#executable, "main.c", this.path, `-Wl,-rpath,${this.#folder.path}`);
      } else {
        this.path = this.#executable;
        const how = linkage === "pie" ? ["-fPIE", "-pie"] : ["-fno-pie", "-no-pie"];
        gcc(...how, "-o", this.path, "main.c", "probes.c");
      }
    } catch (error) {
      this.#folder[Symbol.dispose]();
      throw error;
    }
  }

  /** Starts a process of it, which fires its probes when told to. */
  start(): UsdtProcess {
    return new UsdtProcess(spawn(this.#executable));
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** A running {@link UsdtProgram}. */
export class UsdtProcess implements AsyncDisposable {
  readonly pid: number;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(process: ChildProcessWithoutNullStreams) {
    this.#process = process;
    if (process.pid === undefined) throw new Error("the program did not start");
    this.pid = process.pid;
    this.#lines = createInterface(process.stdout)[Symbol.asyncIterator]();
  }

  /** Fires every probe once and returns what the semaphore was. */
  async fire(): Promise<number> {
    this.#process.stdin.write("go\n");
    return Number((await this.#lines.next()).value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.stdin.end();
    await ended;
  }
}
