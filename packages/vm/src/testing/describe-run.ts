// SPDX-License-Identifier: Apache-2.0

import { InvalidValueError, type RunResult } from "@skep/ebpf";
import { describePacket } from "@skep/packet";
import type { TestResult } from "./test-program.ts";

/** What a matcher is given as the output of a run; that of a {@link TestProgram} says more. */
export type AnyResult = RunResult & Partial<Omit<TestResult, keyof RunResult>>;

/** What came out of a run. Throws InvalidValueError when it is something else. */
export function runOf(received: unknown): AnyResult {
  if (typeof received === "object" && received !== null && "returned" in received && "data" in received) {
    return received as AnyResult;
  }
  throw new InvalidValueError("this matcher is for what run() of a program returns");
}

/** `program "drop"`, or `the program` where it is not known. */
export function programOf({ program }: AnyResult): string {
  return program === undefined ? "the program" : `program "${program.name}"`;
}

/** What it was run on, as a line to end a message with; empty when that is not known. */
export function inputLine({ input }: AnyResult): string {
  return input === undefined ? "" : `\non: ${packetLine(input)}`;
}

/** A packet in one line: `42 bytes, 02:00:00:00:00:01 > ...`. */
export function packetLine(packet: Uint8Array): string {
  return `${packet.length} bytes, ${describePacket(packet)}`;
}
