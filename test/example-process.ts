// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { repository, waitUntil } from "@skep/testbed";

/** A running program of `examples/`, ended by its pid. */
export class ExampleProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  /** What it printed so far, both streams. */
  output = "";

  /** Starts `examples/NAME/NAME.ts`, in a network namespace when one is given. */
  constructor(name: string, args: readonly string[] = [], netns?: string) {
    const command = [process.execPath, "--conditions=skep-source", `${repository}examples/${name}/${name}.ts`, ...args];
    const [file = "", ...rest] = netns === undefined ? command : ["ip", "netns", "exec", netns, ...command];
    this.child = spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
  }

  /** Waits for text in its output. Throws with the output when the process ends first. */
  async waitFor(pattern: RegExp): Promise<string> {
    return await waitUntil(`${pattern} in the output`, () => {
      const found = pattern.exec(this.output)?.[0];
      if (found === undefined && this.#ended) throw new Error(`it ended before ${pattern}:\n${this.output}`);
      return found;
    });
  }

  /** Ends it as a person would. Returns all that it printed; throws when it did not end by itself. */
  async interrupt(): Promise<string> {
    const closed = once(this.child, "close");
    this.child.kill("SIGINT");
    await closed;
    if (this.child.exitCode !== 0) {
      throw new Error(`it ended with ${this.child.exitCode ?? this.child.signalCode}:\n${this.output}`);
    }
    return this.output;
  }

  /** Waits for its end. Returns all that it printed; throws when it failed. */
  async end(): Promise<string> {
    if (!this.#ended) await once(this.child, "close");
    if (this.child.exitCode !== 0) throw new Error(`it ended with ${this.child.exitCode}:\n${this.output}`);
    return this.output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }

  get #ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
}
