// SPDX-License-Identifier: Apache-2.0

import { load, programTypeName } from "@skep/ebpf";
import { KernelEngine } from "@skep/kernel";
import { type OutputFormat, printList } from "../output/format.ts";
import { readObjectFile } from "../read-object-file.ts";

/** `skep bpf load FILE`: has the running kernel create the maps and verify the programs, attaches nothing, and lets go. */
export async function bpfLoad(file: string, { output }: { readonly output: OutputFormat }): Promise<void> {
  const spec = readObjectFile(file);
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
