// SPDX-License-Identifier: Apache-2.0

// Keeps the processes of a cgroup from connecting to some ports, and counts how often they tried. As root:
//   node --conditions=skep-source examples/cgroup-deny-connect/cgroup-deny-connect.ts CGROUP-FOLDER PORT...
import { KernelEngine } from "@skep/kernel";
import { untilInterrupted } from "../until-interrupted.ts";
import { loadCgroupDenyConnect } from "./cgroup-deny-connect.bpf.ts";

const [cgroup, ...ports] = process.argv.slice(2);
if (cgroup === undefined) throw new Error("usage: cgroup-deny-connect.ts CGROUP-FOLDER PORT...");

using engine = new KernelEngine();
using app = loadCgroupDenyConnect({ engine });
const { denied } = app.maps;
for (const port of ports) denied.update(Number(port), 0n);
using _link = app.programs.on_connect.attach({ cgroup });
await untilInterrupted(`attached to ${cgroup}`);

for (const [port, attempts] of denied.entries()) console.log(`port ${port}: ${attempts} attempts`);
