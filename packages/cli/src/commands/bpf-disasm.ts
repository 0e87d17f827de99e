// SPDX-License-Identifier: Apache-2.0

import { disassemble, NotFoundError } from "@skep/ebpf";
import { print } from "../output/print.ts";
import { printableLines } from "../output/safe-text.ts";
import { readObjectFile } from "../read-object-file.ts";

/** `skep bpf disasm FILE [PROGRAM]`: instructions in the verifier's notation, with the C lines that they come from. */
export async function bpfDisasm(file: string, name: string | undefined): Promise<void> {
  const spec = readObjectFile(file);
  const chosen = [...spec.programs.values()].filter((program) => name === undefined || program.name === name);
  if (chosen.length === 0) throw new NotFoundError("program", name ?? "", spec.programs.keys());
  const texts = chosen.map(
    (program) =>
      `${program.name} (${program.section}):\n${disassemble(program, { btf: spec.btf, byteOrder: spec.byteOrder })}`,
  );
  await print(`${printableLines(texts.join("\n\n"))}\n`);
}
