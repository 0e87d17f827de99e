// SPDX-License-Identifier: Apache-2.0

import { assemble, ProgramType } from "@skep/ebpf";
import { FileDescriptor, loadProgram, runProgram } from "@skep/linux";
import { expect, it } from "vitest";
import { traceLog } from "./trace-log.ts";

// The text, of 8 bytes with its NUL, is on the stack; no other test writes it.
const source = `
  lddw %r1, 0x0073626d6f632035
  stxdw [%r10-8], %r1
  mov %r1, %r10
  add %r1, -8
  mov %r2, 8
  call bpf_trace_printk
  mov %r0, 0
  exit
`;

it("the trace log has what a program writes, and ends with the signal", async () => {
  const { instructions } = assemble(source);
  const { result } = loadProgram({ type: ProgramType.SOCKET_FILTER, instructions, license: "GPL" });
  using program = new FileDescriptor(result);
  const ended = new AbortController();
  const lines: string[] = [];
  const timeout = setTimeout(() => ended.abort(), 5000);
  const write = setTimeout(() => runProgram(program, { data: new Uint8Array(64) }), 50);
  for await (const line of traceLog(ended.signal)) {
    if (!line.includes("5 combs")) continue;
    lines.push(line);
    ended.abort();
  }
  clearTimeout(timeout);
  clearTimeout(write);
  expect(lines).toEqual([expect.stringMatching(/-\d+ +\[\d+\].*bpf_trace_printk: 5 combs$/)]);
});
