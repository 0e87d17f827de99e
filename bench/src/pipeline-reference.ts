// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { PipelineRing, RecordKind } from "./pipeline-ring.ts";

/** What one round of the C program came to. */
export interface ReferenceRound {
  /** To drain and decode the ring. */
  readonly nanoseconds: number;
  readonly records: number;
  /** As `hashColumns` computes them. */
  readonly hashes: readonly number[];
}

/** The C program reading a ring of its own. It lives through all rounds, so that it is as warm as this process. */
export class PipelineReference implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  /** Starts `program`, compiled from `bench/c/pipeline-ring.c`, and hands it the ring and what fills it. */
  constructor(program: string, kind: RecordKind, ring: PipelineRing, clockOffset: bigint) {
    const { map, program: maker } = ring;
    this.#child = spawn(program, [kind.stream, map.spec.maxEntries, kind.records, clockOffset].map(String), {
      stdio: ["pipe", "pipe", "inherit", map.fd, maker.fd.number],
    });
    if (this.#child.stdout === null) throw new Error(`${program} has no standard output`);
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** Fills the ring and drains it. */
  async round(): Promise<ReferenceRound> {
    this.#child.stdin?.write("round\n");
    const { value, done } = await this.#answers.next();
    if (done) throw new Error("the C program ended before its answer");
    const [nanoseconds = 0, records = 0, ...hashes] = String(value).split(" ").map(Number);
    return { nanoseconds, records, hashes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
  }
}
