// SPDX-License-Identifier: Apache-2.0

// A thread of shared-engine.test.ts: joins the engine, loads the object, and does what it is told.
import { parentPort, workerData } from "node:worker_threads";
import { load, parseObject } from "@skep/ebpf";
import { VmEngine } from "./vm-engine.ts";
import type { VmEngineHandle } from "./vm-engine-handle.ts";

/** What a thread is given. */
export interface ThreadData {
  readonly handle: VmEngineHandle;
  readonly object: Uint8Array;
}

/** What a thread does: runs a program so many times, sends so many records, or reads as many. */
export type ThreadTask =
  | { readonly run: string; readonly times: number }
  | { readonly send: number }
  | { readonly read: number };

const { handle, object } = workerData as ThreadData;
const engine = VmEngine.join(handle);
const app = load(parseObject(object), { engine });
const data = new Uint8Array(64);

async function perform(task: ThreadTask): Promise<unknown> {
  if ("run" in task) return app.program(task.run).run({ data, repeat: task.times }).returned;
  if ("send" in task) {
    let sent = 0;
    while (sent < task.send) if (app.program("send").run({ data }).returned === 0) sent++;
    return sent;
  }
  const records: number[] = [];
  using reader = app.map("ring").records();
  parentPort?.postMessage("reading");
  for await (const { bytes, offsets, count } of reader) {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let i = 0; i < count; i++) {
      const at = offsets[i] ?? 0;
      records.push(view.getUint32(at, true), view.getUint32(at + 4, true));
    }
    if (records.length >= 2 * task.read) break;
  }
  return records;
}

parentPort?.on("message", async (task: ThreadTask) => {
  parentPort?.postMessage(await perform(task));
});
parentPort?.postMessage("joined");
