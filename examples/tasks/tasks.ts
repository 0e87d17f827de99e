// SPDX-License-Identifier: Apache-2.0

// The processes of this machine, as the kernel lists them: no /proc is read. As root, Linux 5.8:
//   node --conditions=skep-source examples/tasks/tasks.ts
import { KernelEngine } from "@skep/kernel";
import { loadTasks, tasksCodecs, tasksSpec } from "./tasks.bpf.ts";

using engine = new KernelEngine();
using app = loadTasks({ engine });
using link = app.programs.list.attach();
using reader = link.openIterator();

const { row } = tasksCodecs(tasksSpec());
const bytes = reader.bytes();
console.log("    PID  PARENT  NAME");
for (let at = 0; at < bytes.length; at += row.size) {
  const { pid, parent, comm, kernel } = row.decode(bytes, at);
  console.log(`${String(pid).padStart(7)} ${String(parent).padStart(7)}  ${kernel ? `[${comm}]` : comm}`);
}
