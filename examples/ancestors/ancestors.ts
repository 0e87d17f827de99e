// SPDX-License-Identifier: Apache-2.0

// Who started what is executed: follows pointers in the kernel's own structs. As root:
//   node --conditions=skep-source examples/ancestors/ancestors.ts
import { KernelEngine } from "@skep/kernel";
import { loadAncestors } from "./ancestors.bpf.ts";

using engine = new KernelEngine();
using app = loadAncestors({ engine });
app.attach();
for await (const { line } of app.records.events()) {
  console.log(line.map(({ pid, comm }) => `${comm} (${pid})`).join(" < "));
}
