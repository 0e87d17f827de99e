// SPDX-License-Identifier: Apache-2.0

import { type CollectionSpec, NotSupportedError, type ProgramSpec, sectionMeaning, VerifierError } from "@skep/ebpf";
import { describe, expect, it } from "vitest";
import { loadObject, objectSpec } from "../test-objects/load-object.ts";
import { newerThanKernel } from "./minimum-version.ts";

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

describe("maps from before BTF", () => {
  it("are made and used", () => {
    using loaded = loadObject("../../ebpf/test-objects/legacy");
    expect(loaded.run("count", 2)).toBe(3);
    const value = new Uint8Array(8);
    expect(loaded.kernelMap("totals").lookupRaw(u32(0), value)).toBe(true);
    expect([...value]).toEqual([10, 0, 0, 0, 0, 0, 0, 0]);
    expect(loaded.kernelMap("counters").lookupRaw(u32(0), value)).toBe(true);
    expect(loaded.kernelMap("longer").info()).toMatchObject({ valueSize: 4, maxEntries: 2 });
  });
});

describe("sections of variables", () => {
  it("may have names of their own", () => {
    using loaded = loadObject("sections", { variables: { ceiling: 7 } });
    expect(loaded.run("limits", 3)).toBe(74);
    const { collection } = loaded;
    expect(collection.variable("passes").get()).toBe(3);
    expect(collection.variable("passes").spec.map).toBe(".bss.counts");
    collection.variable("lowest").set(6);
    expect(loaded.run("limits")).toBe(76);
    expect(() => collection.variable("ceiling").set(1)).toThrow('"ceiling" lies in ".rodata.limits", which is frozen');
  });
});

describe("functions", () => {
  it("may be callbacks, hidden, and weak", () => {
    using loaded = loadObject("sections", { programs: ["calls"] });
    expect(loaded.run("calls")).toBe(600 + 1001);
    expect(loaded.program("calls").spec.functionInfo).toHaveLength(4);
  });
});

/** An object whose program is in a section of another name. */
function inSection(section: string): CollectionSpec {
  const spec = objectSpec("../../ebpf/test-objects/minimal");
  const program: ProgramSpec = {
    ...(spec.programs.get("on_exit") as ProgramSpec),
    section,
    ...sectionMeaning(section),
  };
  return { ...spec, programs: new Map([[program.name, program]]) };
}

describe("sections that are newer than the kernel", () => {
  const tracing = [
    "fsession/vfs_read",
    "fsession.s/vfs_read",
    "fentry.multi/vfs_*",
    "fexit.multi.s/vfs_*",
    "fsession.multi/x",
  ];

  it.each(tracing)("%s is known, and refused when it is loaded", (section) => {
    expect(() => loadObject("minimal", { programs: ["on_exit"] }, inSection(section))).toThrow(NotSupportedError);
  });

  it.for(["tp.s/sched/sched_process_exit", "raw_tp.s/sched_switch"])(
    "%s is the verifier's to refuse",
    (section, ctx) => {
      if (newerThanKernel("7.0") === undefined) ctx.skip("the kernel has sleepable tracepoints");
      expect(() => loadObject("minimal", { programs: ["on_exit"] }, inSection(section))).toThrow(VerifierError);
    },
  );
});
