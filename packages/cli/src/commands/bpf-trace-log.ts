// SPDX-License-Identifier: Apache-2.0

import { traceLog } from "@skep/kernel";
import { parseTraceLine } from "../bpf/trace-line.ts";
import { onInterrupt } from "../interrupt.ts";
import { type OutputFormat, toJson } from "../output/format.ts";
import { print } from "../output/print.ts";
import { RowPrinter } from "../output/row-printer.ts";

/** `skep bpf trace-log`: what programs write by bpf_printk, until interrupted. */
export async function bpfTraceLog({ output }: { readonly output: OutputFormat }): Promise<void> {
  using interrupt = onInterrupt();
  const { signal } = interrupt;
  const printer = new RowPrinter(output, (text) => print(text, signal));
  try {
    for await (const line of traceLog(signal)) {
      const { task, pid = null, cpu = null, text } = parseTraceLine(line);
      await printer.rows([toJson({ time: new Date().toISOString(), cpu, pid, task, text })]);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
