// SPDX-License-Identifier: Apache-2.0

// Drops datagrams to one UDP port at an interface, and counts. As root:
//   node --conditions=skep-source examples/xdp-drop-counter/xdp-drop-counter.ts INTERFACE [PORT]
import { KernelEngine } from "@skep/kernel";
import { untilInterrupted } from "../until-interrupted.ts";
import { loadXdpDropCounter } from "./xdp-drop-counter.bpf.ts";

const XDP_DROP = 1;
const [device = "lo", portText = "9999"] = process.argv.slice(2);
const port = Number(portText);

using engine = new KernelEngine();
using app = loadXdpDropCounter({ engine, variables: { port } });

// Before anything is attached the program is tried out, on a datagram that never was on a wire.
const datagram = new Uint8Array(60);
const view = new DataView(datagram.buffer);
view.setUint16(12, 0x0800); // Ethernet: IPv4
view.setUint8(14, 0x45); // IPv4, 5 words of header
view.setUint8(23, 17); // UDP
view.setUint16(36, port);
const { returned } = app.programs.drop.run({ data: datagram });
console.log(`a datagram to port ${port} would be ${returned === XDP_DROP ? "dropped" : "passed"}`);
app.maps.packets.update("DROPPED", app.maps.packets.lookup("DROPPED")?.map(() => 0n) ?? []);

using link = app.programs.drop.attach({ xdp: { interface: device } });
await untilInterrupted(`attached to ${device}`);

link.detach();
for (const [outcome, counts] of app.maps.packets.entries()) {
  console.log(`${outcome} ${counts.reduce((sum, count) => sum + count)}`);
}
