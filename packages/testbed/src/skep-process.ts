// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { asUser } from "./run-as.ts";
import { waitUntil } from "./wait-until.ts";

/** Root of the repository. */
export const repository: string = fileURLToPath(new URL("../../..", import.meta.url));

/** The arguments after `node` that run the `skep` command from source. */
export const skepArguments: readonly string[] = ["--conditions=skep-source", `${repository}packages/cli/src/main.ts`];

/** How {@link SkepProcess} is started. */
export interface SkepProcessOptions {
  /** Run as an ordinary user with these capabilities alone; as the caller when absent. */
  readonly capabilities?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A running `skep`, ended by its pid. */
export class SkepProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  /** What it printed so far, both streams. */
  output = "";

  constructor(args: readonly string[], options: SkepProcessOptions = {}) {
    const command = [process.execPath, ...skepArguments, ...args];
    const [file = "", ...rest] =
      options.capabilities === undefined ? command : readableByAll(options.capabilities, command);
    this.child = spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...options.env } });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
  }

  /** Starts `skep up` on a free port and waits for its page. */
  static async up(data: string, args: readonly string[] = [], options: SkepProcessOptions = {}): Promise<SkepUp> {
    const running = new SkepProcess(["up", "--data", data, "--port", "0", ...args], options);
    const address = await running.waitFor(/http:\/\/\S+\?token=\S+/);
    return new SkepUp(running, new URL(address));
  }

  /** Waits for text in its output. Throws with the output when the process ends first. */
  async waitFor(pattern: RegExp, timeout = 20_000): Promise<string> {
    return await waitUntil(
      `${pattern} in the output`,
      () => {
        const match = pattern.exec(this.output)?.[0];
        if (match === undefined && this.ended) throw new Error(`skep ended before ${pattern}:\n${this.output}`);
        return match;
      },
      timeout,
    ).catch((cause: unknown) => {
      throw new Error(`no ${pattern} in:\n${this.output}`, { cause });
    });
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Sends a signal and waits for the end. Returns the exit code, or the signal that ended it. */
  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<number | NodeJS.Signals | null> {
    if (!this.ended) {
      this.child.kill(signal);
      await this.exit();
    }
    return this.child.exitCode ?? this.child.signalCode;
  }

  /** Waits for the end and returns the exit code. */
  async exit(): Promise<number | null> {
    if (!this.ended) await once(this.child, "exit");
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.ended) return;
    // As a person would end it; one that does not listen is killed.
    const kill = setTimeout(() => this.child.kill("SIGKILL"), 10_000);
    await this.stop("SIGTERM").finally(() => clearTimeout(kill));
  }
}

/**
 * The command as the test user. The repository may lie where only root can go, so it is shown to the process at
 * /mnt, in a mount namespace of its own.
 */
function readableByAll(capabilities: readonly string[], command: readonly string[]): string[] {
  const moved = command.map((part) => (part.startsWith(repository) ? `/mnt/${part.slice(repository.length)}` : part));
  const script = 'mount --bind "$0" /mnt && cd /mnt && exec "$@"';
  return ["unshare", "--mount", "sh", "-c", script, repository, ...asUser(capabilities, moved)];
}

/** A running `skep up` and its HTTP server. */
export class SkepUp implements AsyncDisposable {
  readonly process: SkepProcess;
  /** As printed, with the token. */
  readonly address: URL;
  readonly token: string;

  constructor(running: SkepProcess, address: URL) {
    this.process = running;
    this.address = address;
    this.token = address.searchParams.get("token") ?? "";
  }

  /** Requests a path with the token. */
  async get(path: string): Promise<Response> {
    return await fetch(new URL(path, this.address), { headers: { authorization: `Bearer ${this.token}` } });
  }

  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    return this.process.stop(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.process[Symbol.asyncDispose]();
  }
}
