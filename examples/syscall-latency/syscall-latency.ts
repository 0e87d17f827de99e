// SPDX-License-Identifier: Apache-2.0

// How long the system calls of a process take. As root:
//   node --conditions=skep-source examples/syscall-latency/syscall-latency.ts PID
import { KernelEngine } from "@skep/kernel";
import { untilInterrupted } from "../until-interrupted.ts";
import { loadSyscallLatency } from "./syscall-latency.bpf.ts";

using engine = new KernelEngine();
using app = loadSyscallLatency({ engine, variables: { process: Number(process.argv[2]) } });
app.attach();
await untilInterrupted("attached");

for (const [number, { slots }] of app.maps.histograms.entries()) {
  const total = slots.reduce((sum, count) => sum + count);
  console.log(`system call ${number}: ${total}`);
  for (const [power, count] of slots.entries()) {
    if (count === 0n) continue;
    const bar = "#".repeat(Math.ceil((40 * Number(count)) / Number(total)));
    console.log(`${String(2 ** power / 1000).padStart(12)} us  ${String(count).padStart(8)}  ${bar}`);
  }
}
