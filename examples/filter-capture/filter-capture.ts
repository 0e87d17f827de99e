// SPDX-License-Identifier: Apache-2.0

// Copies a capture without what comes from some prefixes. As anybody:
//   node --conditions=skep-source examples/filter-capture/filter-capture.ts IN.pcap OUT.pcap 10.0.0.0/8
import { Prefix } from "@skep/packet";
import { VmEngine } from "@skep/vm";
import { passedOf, readCaptureFile, runPackets, writeCaptureFile } from "@skep/vm/node";
import { loadDenyList } from "../deny-list/deny-list.bpf.ts";

const [from = "in.pcap", to = "out.pcap", ...prefixes] = process.argv.slice(2);

using engine = new VmEngine();
using app = loadDenyList({ engine });
for (const text of prefixes) app.maps.denied.update(Prefix.parse(text), 0n);

// A packet that no Ethernet program can take, such as one that the capture cut short, is left out and counted.
const results = runPackets(app.programs.deny, readCaptureFile(from), { faults: "count" });
const passed = await writeCaptureFile(to, passedOf(results));
const { fed, failed } = results.counters;
console.log(`${passed} of ${fed} packets passed, ${failed} could not be run`);
for (const [{ address, length }, hits] of app.maps.denied.entries()) {
  console.log(`${address.join(".")}/${length}: ${hits} dropped`);
}
