// SPDX-License-Identifier: Apache-2.0

// A TCP congestion control written in BPF, for connections that ask for it. As root, Linux 6.4:
//   node --conditions=skep-source examples/congestion-control/congestion-control.ts
//   sysctl net.ipv4.tcp_congestion_control=skep_fixed      # for all new connections of a network namespace
import { KernelEngine } from "@skep/kernel";
import { untilInterrupted } from "../until-interrupted.ts";
import { loadCongestionControl } from "./congestion-control.bpf.ts";

using engine = new KernelEngine();
using app = loadCongestionControl({ engine });
using _link = app.structOps.fixed.attach();
await untilInterrupted("skep_fixed is there");
console.log(`${app.variables.connections.get()} connections used it`);
