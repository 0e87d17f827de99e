// SPDX-License-Identifier: Apache-2.0

import { type CollectionSpec, load, programTypeName, VerifierError, type VerifierLogPart } from "@skep/ebpf";
import { KernelEngine } from "@skep/kernel";
import { type OutputFormat, printList } from "../output/format.ts";
import { print } from "../output/print.ts";
import { printableLines } from "../output/safe-text.ts";
import { readObjectFile } from "../read-object-file.ts";

/** What `--verifier-log` takes. */
export const verifierLogParts: readonly VerifierLogPart[] = ["branches", "instructions", "statistics"];

interface LoadOptions {
  readonly output: OutputFormat;
  readonly verifierLog?: readonly VerifierLogPart[];
}

/**
 * `skep bpf load FILE`: has the running kernel create the maps and verify the programs, attaches nothing, and lets go.
 * With `--verifier-log` prints what the verifier wrote, whether it accepts or refuses.
 */
export async function bpfLoad(file: string, { output, verifierLog }: LoadOptions): Promise<void> {
  const spec = readObjectFile(file);
  if (verifierLog === undefined) await loadAndPrint(spec, output);
  else await printLogs(spec, verifierLog);
}

async function loadAndPrint(spec: CollectionSpec, output: OutputFormat): Promise<void> {
  using engine = new KernelEngine();
  using app = load(spec, { engine });
  const programs = [...app.programs.values()].map(({ spec: program }) => ({
    name: program.name,
    type: programTypeName(program.type),
    instructions: program.instructions.length / 8,
    verified: true,
  }));
  await printList(programs, output, ["PROGRAM", "TYPE", "INSTRUCTIONS", "VERIFIER"], (program) => [
    program.name,
    program.type,
    String(program.instructions),
    "accepted",
  ]);
}

async function printLogs(spec: CollectionSpec, verifierLog: readonly VerifierLogPart[]): Promise<void> {
  using engine = new KernelEngine();
  try {
    using app = load(spec, { engine, verifierLog });
    for (const program of app.programs.values()) {
      await print(printableLines(`${program.name} was accepted:\n${program.verifierLog}\n`));
    }
  } catch (error) {
    if (error instanceof VerifierError) await print(printableLines(`${error.program} was refused:\n${error.log}\n`));
    throw error;
  }
}
