// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { type AttachTarget, load, MapType } from "@skep/ebpf";
import { bpfObjectIds } from "@skep/linux";
import { describe, expect, it } from "vitest";
import { kernelDescriptors, loadObject, objectSpec } from "../test-objects/load-object.ts";
import { KernelEngine } from "./kernel-engine.ts";
import { probeKernel } from "./probe-kernel.ts";

const mappings = (): number => readFileSync("/proc/self/maps", "latin1").match(/anon_inode/g)?.length ?? 0;

/** Runs `work` and checks that it leaves no descriptor, mapping, program, map or link behind. */
async function leavesNothing(work: () => void | Promise<void>): Promise<void> {
  // The kernel frees closed objects after a grace period, so only new ids that stay count.
  const ids = (): string[] =>
    (["program", "map", "link"] as const).flatMap((kind) => [...bpfObjectIds(kind)].map((id) => `${kind} ${id}`));
  const before = { descriptors: kernelDescriptors(), mappings: mappings(), ids: new Set(ids()) };
  await work();
  expect(kernelDescriptors()).toEqual(before.descriptors);
  expect(mappings()).toBe(before.mappings);
  await expect.poll(() => ids().filter((id) => !before.ids.has(id)), { timeout: 5000 }).toEqual([]);
}

describe("nothing stays behind", () => {
  it("after load, attach, read and close", async () => {
    await leavesNothing(async () => {
      using records = loadObject("records");
      const programs = ["on_tp_btf", "on_raw_tracepoint", "on_tracepoint", "on_tick"];
      using links = loadObject("links", { variables: { wanted: "nobody" }, programs });
      for (const program of links.collection.programs.values()) {
        program.attach(
          program.name === "on_tick" ? { perfEvent: { event: "software:cpu-clock", frequency: 10 } } : undefined,
        );
      }
      using ring = records.kernelMap("ring").records();
      using perf = records.kernelMap("perf").records();
      records.run("fill_ring", 10);
      records.run("fill_perf", 10);
      for await (const batch of ring) {
        expect(batch.count).toBe(10);
        break;
      }
      for await (const batch of perf) {
        expect(batch.count).toBe(10);
        break;
      }
    });
  });

  it("after readers that are closed while they wait", async () => {
    await leavesNothing(async () => {
      using records = loadObject("records");
      const readers = ["ring", "perf"].map((name) => records.kernelMap(name).records());
      const waits = readers.map(async (reader) => {
        for await (const _ of reader) expect.unreachable();
      });
      await new Promise((resolve) => setTimeout(resolve, 10));
      for (const reader of readers) reader.close();
      await Promise.all(waits);
    });
  });

  it("after a map that cannot be created", async () => {
    await leavesNothing(() => {
      const spec = objectSpec("records");
      const maps = new Map([...spec.maps].map(([name, map]) => [name, { ...map }]));
      maps.get("ring")!.maxEntries = 12345;
      expect(() => load({ ...spec, maps }, { engine: new KernelEngine() })).toThrow('map "ring": bpf(BPF_MAP_CREATE)');
    });
  });

  it("after a data section whose contents do not fit", async () => {
    await leavesNothing(() => {
      const spec = objectSpec("maps").maps.get(".rodata")!;
      const engine = new KernelEngine();
      const data = { ...spec.data!, contents: new Uint8Array(1) };
      expect(() => engine.createMap({ ...spec, data }, undefined, undefined)).toThrow(
        "the section is 1 bytes, the map holds",
      );
    });
  });

  it("after a program that the verifier refuses", async () => {
    await leavesNothing(() => {
      const spec = objectSpec("maps");
      const programs = new Map(
        [...spec.programs].map(([name, program]) => [
          name,
          { ...program, instructions: program.instructions.subarray(0, 8) },
        ]),
      );
      expect(() => load({ ...spec, programs: programs as never }, { engine: new KernelEngine() })).toThrow();
    });
  });

  it("after a link that fails half way", async () => {
    await leavesNothing(() => {
      using object = loadObject("links", { programs: ["on_tick", "on_tracepoint"] });
      const before = kernelDescriptors();
      const attach = (name: string, target: AttachTarget) => () => object.collection.program(name).attach(target);
      expect(attach("on_tick", { perfEvent: { event: "software:cpu-clock", period: 1000, cpu: 4000 } })).toThrow(
        "perf_event_open failed",
      );
      expect(attach("on_tick", { perfEvent: { event: "software:bpf-output", period: 1, pid: 2 ** 30 } })).toThrow(
        "ESRCH",
      );
      expect(attach("on_tracepoint", { tracepoint: "sched:no_such" })).toThrow();
      expect(kernelDescriptors()).toEqual(before);
    });
  });

  it("after a reader that cannot be opened", async () => {
    await leavesNothing(() => {
      using object = loadObject("records");
      const before = kernelDescriptors();
      expect(() => object.kernelMap("perf").records({ perCpuBytes: 2 ** 40 })).toThrow("mmap failed");
      expect(kernelDescriptors()).toEqual(before);
      using reader = object.kernelMap("perf").records();
      expect(reader.poll()).toBeUndefined();
    });
  });

  it("after a probe of the kernel", async () => {
    await leavesNothing(() => {
      const report = probeKernel();
      const states = Object.fromEntries(report.findings.map(({ name, state }) => [name, state]));
      expect(states).toMatchObject({
        "bpf system call": "yes",
        capabilities: "yes",
        "ring buffer": "yes",
        "batch operations": "yes",
        "tracepoint programs": "yes",
        "perf links": "yes",
      });
      expect(JSON.parse(JSON.stringify(report))).toEqual(report);
      expect(MapType.RINGBUF).toBe(27);
    });
  });
});
