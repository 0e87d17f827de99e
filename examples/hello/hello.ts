// SPDX-License-Identifier: Apache-2.0
import { KernelEngine } from "@skep/kernel";
import { loadHello } from "./hello.bpf.ts";

using engine = new KernelEngine();
using hello = loadHello({ engine });
hello.attach();
for await (const { pid, comm } of hello.records.events()) {
  console.log(`hello, ${comm} (${pid})`);
}
