// SPDX-License-Identifier: Apache-2.0

// How long the calls of a function of a program or library take, in one process. As root:
//   node --conditions=skep-source examples/uprobe-latency/uprobe-latency.ts PID libc.so.6 getaddrinfo
import { KernelEngine } from "@skep/kernel";
import { untilInterrupted } from "../until-interrupted.ts";
import { loadUprobeLatency } from "./uprobe-latency.bpf.ts";

const [pid, file, symbol] = process.argv.slice(2);
if (file === undefined || symbol === undefined) throw new Error("usage: uprobe-latency.ts PID FILE FUNCTION");
const code = { file, symbol, pid: Number(pid) };

using engine = new KernelEngine();
using app = loadUprobeLatency({ engine });
// The return first: a call that is seen to begin is seen to end, too.
using _return = app.programs.on_return.attach({ uretprobe: code });
using _entry = app.programs.on_entry.attach({ uprobe: code });
await untilInterrupted(`attached to ${symbol} of ${file} in process ${pid}`);

const slots = app.variables.slots.get().map(Number);
const most = Math.max(1, ...slots);
for (const [power, calls] of slots.entries()) {
  if (calls === 0) continue;
  const bar = "#".repeat(Math.ceil((40 * calls) / most));
  console.log(`${String(2 ** power / 1000).padStart(12)} us  ${String(calls).padStart(8)}  ${bar}`);
}
