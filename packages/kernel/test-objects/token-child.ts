// SPDX-License-Identifier: Apache-2.0

/**
 * Runs in a user namespace of its own, where it has every capability and none that counts outside. It opens a BPF
 * file system, says by which descriptor, waits until its parent has said what that delegates, and tells as JSON what
 * came of using BPF without a token, with one, and with one that was given as a descriptor.
 */
import { once } from "node:events";
import { openSync } from "node:fs";
import { load } from "@skep/ebpf";
import { AttrBuffer, createBpfToken, FileDescriptor, systemCall } from "@skep/linux";
import { KernelEngine, type KernelEngineOptions } from "../src/kernel-engine.ts";
import { objectSpec } from "./load-object.ts";

const name = new AttrBuffer(8).text(0, 8, "bpf");
const context = systemCall("fsopen", "bpf", name.address, 1);
process.stdout.write(`${context}\n`);
await once(process.stdin, "data");
const mount = systemCall("fsmount", "bpf", context, 1, 0);
const token = `/proc/self/fd/${mount}`;

using directory = new FileDescriptor(openSync(token, "r"));
using given = createBpfToken(directory);
const said = { without: attempt({}), with: attempt({ token }), given: attempt({ token: given.number }) };
process.stdout.write(`${JSON.stringify(said)}\n`);
process.exit();

function attempt(options: KernelEngineOptions): string {
  try {
    using engine = new KernelEngine(options);
    using app = load(objectSpec("maps"), { engine, programs: ["count_here"] });
    const { program } = app.program("count_here");
    for (let run = 0; run < 3; run++) program.run?.({ data: new Uint8Array(64) });
    const counted = app.map<number, { packets: bigint }[]>("percpu_array").lookup(0) ?? [];
    return `counted ${counted.reduce((sum, { packets }) => sum + packets, 0n)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
