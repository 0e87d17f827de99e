// SPDX-License-Identifier: Apache-2.0

// Drops what comes from some prefixes, at an interface. As root:
//   node --conditions=skep-source examples/deny-list/deny-list.ts INTERFACE 10.0.0.0/8 192.0.2.7/32
import { KernelEngine } from "@skep/kernel";
import { untilInterrupted } from "../until-interrupted.ts";
import { loadDenyList, type Prefix } from "./deny-list.bpf.ts";

const [device = "lo", ...prefixes] = process.argv.slice(2);

using engine = new KernelEngine();
using app = loadDenyList({ engine });
const { denied } = app.maps;
for (const text of prefixes) denied.update(parsePrefix(text), 0n);
using _link = app.programs.deny.attach({ xdp: { interface: device } });
await untilInterrupted(`attached to ${device}`);

for (const [{ address, length }, hits] of denied.entries())
  console.log(`${address.join(".")}/${length}: ${hits} dropped`);

function parsePrefix(text: string): Prefix {
  const [, address = "", length] = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(text) ?? [];
  if (length === undefined) throw new Error(`${text} is no prefix, such as 10.0.0.0/8`);
  return { length: Number(length), address: Uint8Array.from(address.split("."), Number) };
}
