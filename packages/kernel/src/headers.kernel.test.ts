// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { loadHeaders } from "../test-objects/headers.bpf.ts";
import { KernelEngine } from "./kernel-engine.ts";

describe("programs made with our headers", () => {
  it("read the kernel's structs, wherever their members lie", () => {
    using engine = new KernelEngine();
    using headers = loadHeaders({ engine, programs: ["task"] });
    expect(headers.programs.task.run().returned).toBe(1);
    expect(headers.variables.tgid.get()).toBe(process.pid);
    expect(headers.variables.parent_tgid.get()).toBe(process.ppid);
    expect(headers.variables.comm.get()).not.toBe("");
  });

  it("read and write bitfields", () => {
    using engine = new KernelEngine();
    using headers = loadHeaders({ engine, programs: ["bits"] });
    expect(headers.programs.bits.run().returned).toBe(65);
  });

  it("print more than three values", () => {
    using engine = new KernelEngine();
    using headers = loadHeaders({ engine, programs: ["print"] });
    expect(headers.programs.print.run().returned).toBe(1);
    expect(headers.variables.printed.get()).toBe(BigInt("skep: 1 2 3 4 five".length));
    expect(headers.variables.text.get()).toBe("4-3-2-1");
    expect(headers.variables.formatted.get()).toBe(BigInt("4-3-2-1\0".length));
  });

  it("loop without unrolling", (ctx) => {
    using engine = new KernelEngine();
    // Linux 6.4.
    const functions = engine.kernelTypes()?.idsByName("bpf_iter_num_new") ?? [];
    if (functions.length === 0) ctx.skip("the kernel has no open-coded iterators");
    using headers = loadHeaders({ engine, programs: ["loop"] });
    expect(headers.programs.loop.run().returned).toBe(499_503);
  });
});
