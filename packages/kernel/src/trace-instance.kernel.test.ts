// SPDX-License-Identifier: Apache-2.0

import { readdirSync } from "node:fs";
import { assemble, ProgramType } from "@skep/ebpf";
import { FileDescriptor, loadProgram, runProgram } from "@skep/linux";
import { expect, it } from "vitest";
import { TraceInstance } from "./trace-instance.ts";
import { mountTracefs } from "./tracepoint-id.ts";

// The text, of 8 bytes with its NUL, is on the stack.
const source = `
  lddw %r1, 0x00736c6c65632034
  stxdw [%r10-8], %r1
  mov %r1, %r10
  add %r1, -8
  mov %r2, 8
  call bpf_trace_printk
  mov %r0, 0
  exit
`;

it("has what this thread's programs print, each line once, and goes away", () => {
  const { instructions } = assemble(source);
  const { result } = loadProgram({ type: ProgramType.SOCKET_FILTER, instructions, license: "GPL" });
  using program = new FileDescriptor(result);
  const run = (repeat: number): unknown => runProgram(program, { data: new Uint8Array(64), repeat });
  run(1);
  using trace = new TraceInstance();
  expect(trace.lines()).toEqual([]);
  run(3);
  const line = expect.stringMatching(/-\d+ +\[\d+\].*bpf_trace_printk: 4 cells$/);
  expect(trace.lines()).toEqual([line, line, line]);
  run(1);
  using other = new TraceInstance();
  expect(trace.lines()).toEqual([line]);
  expect(other.lines()).toEqual([]);
  trace.close();
  trace.close();
  expect(() => trace.lines()).toThrow("the trace instance is closed");
  run(1);
  expect(other.lines()).toEqual([line]);
  other.close();
  using mount = mountTracefs("a test");
  const instances = readdirSync(`/proc/self/fd/${mount.number}/instances`);
  expect(instances.filter((name) => name.startsWith(`skep-${process.pid}-`))).toEqual([]);
});
