// SPDX-License-Identifier: Apache-2.0

/** A line of trace_pipe. */
export interface TraceLine {
  /** The task that ran when it was written: its name, which it chose. */
  readonly task: string;
  readonly pid: number | undefined;
  readonly cpu: number | undefined;
  /** What the program wrote. */
  readonly text: string;
}

// Such as `  node-1234    [001] ...11  5678.901234: bpf_trace_printk: hello`. The task's name may hold anything, but has
// at most 15 bytes: what looks like the beginning of a line further on is the program's text.
const SHAPE = /^\s*(.{0,15}?)-(\d+)\s+(?:\([^)]*\)\s+)?\[(\d+)\]\s+\S+\s+\d+\.\d+:\s+(?:bpf_trace_printk|\S+):\s(.*)$/;

/** Takes a line apart; one of another shape, such as `CPU:1 [LOST 5 EVENTS]`, is all text. */
export function parseTraceLine(line: string): TraceLine {
  const [, task, pid, cpu, text] = SHAPE.exec(line) ?? [];
  if (task === undefined || text === undefined) return { task: "", pid: undefined, cpu: undefined, text: line };
  return { task, pid: Number(pid), cpu: Number(cpu), text };
}
