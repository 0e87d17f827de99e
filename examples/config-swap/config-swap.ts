// SPDX-License-Identifier: Apache-2.0

// Changes several numbers that a program reads together in one step: each version is a map of its own, and a map of
// maps says which one is in force. As root; nothing is attached:
//   node --conditions=skep-source examples/config-swap/config-swap.ts
import { KernelEngine } from "@skep/kernel";
import { loadConfigSwap } from "./config-swap.bpf.ts";

using engine = new KernelEngine();
using app = loadConfigSwap({ engine });
const { current, winter, summer } = app.maps;
const total = () => app.programs.total.run({ data: new Uint8Array(14) }).returned;

winter.update(0, { price: 200, tax: 20 });
console.log(`winter: ${total()}`);

summer.update(0, { price: 100, tax: 10 });
console.log(`summer is prepared: ${total()}`);

current.update(0, summer);
console.log(`summer is in force: ${total()}`);
