// SPDX-License-Identifier: Apache-2.0

// Counts what leaves an interface, by destination port. As root, Linux 6.6:
//   node --conditions=skep-source examples/tcx-port-bytes/tcx-port-bytes.ts INTERFACE
import { KernelEngine } from "@skep/kernel";
import { untilInterrupted } from "../until-interrupted.ts";
import { loadTcxPortBytes } from "./tcx-port-bytes.bpf.ts";

const [device = "lo"] = process.argv.slice(2);

using engine = new KernelEngine();
using app = loadTcxPortBytes({ engine });
using _link = app.programs.count.attach({ tcx: { interface: device, direction: "egress" } });
await untilInterrupted(`attached to ${device}`);

const busiest = [...app.maps.ports.entries()].sort(([, a], [, b]) => Number(b.bytes - a.bytes)).slice(0, 20);
for (const [port, { packets, bytes }] of busiest) console.log(`port ${port}: ${packets} packets, ${bytes} bytes`);
