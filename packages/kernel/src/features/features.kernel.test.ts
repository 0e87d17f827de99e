// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { ProgramType } from "@skep/ebpf";
import { detachedMount } from "@skep/linux";
import { asUser } from "@skep/testbed";
import { describe, expect, it } from "vitest";
import { kernelDescriptors } from "../../test-objects/load-object.ts";
import { newerThanKernel } from "../minimum-version.ts";
import { type FeatureKind, probeFeatures } from "./feature-report.ts";
import { type FeatureSupport, judge, remembered } from "./feature-support.ts";
import { haveProgramHelper } from "./helper-features.ts";
import { haveKernelFeature } from "./kernel-features.ts";
import { haveMapFlag, haveMapType } from "./map-features.ts";
import { haveProgramType } from "./program-features.ts";

const kinds: readonly FeatureKind[] = ["feature", "map type", "map flag", "program type"];

/** What the kernels that the tests run on were built without, although they are new enough. */
const buildsLack: ReadonlySet<string> = new Set([
  "feature kprobe_multi links",
  "feature kprobe session links",
  "feature netkit links",
  "program type lirc_mode2",
  "program type lwt_in",
  "program type lwt_out",
  "program type lwt_xmit",
  "program type lwt_seg6local",
  "program type lsm",
  "map type xskmap",
]);

describe("feature probes", () => {
  it("never deny what a kernel of this version has, unless its build left it out", () => {
    const before = kernelDescriptors();
    const wrong = kinds.flatMap((kind) =>
      probeFeatures(kind).flatMap(({ name, since, support }) => {
        const tooNew = since === undefined || newerThanKernel(since) !== undefined;
        if (support.state === "yes") return since !== undefined && tooNew ? [`${kind} ${name} is too new`] : [];
        if (support.state === "no") return tooNew || buildsLack.has(`${kind} ${name}`) ? [] : [`${kind} ${name}: no`];
        // Security policy refuses these two types on some kernels, with EPERM even to root.
        return ["ext", "lsm"].includes(name) ? [] : [`${kind} ${name}: ${support.reason}`];
      }),
    );
    expect(wrong).toEqual([]);
    expect(kernelDescriptors()).toEqual(before);
  });

  it("tell features of kernels to come by their absence", () => {
    expect(haveMapType(9999)).toMatchObject({ state: "no", minimumVersion: undefined });
    expect(haveProgramType(9999)).toMatchObject({ state: "no" });
    expect(haveProgramHelper(ProgramType.XDP, 9999)).toMatchObject({
      state: "no",
      reason: expect.stringContaining("9999"),
    });
  });

  it("know which program may call which helper", () => {
    expect(haveProgramHelper(ProgramType.XDP, "redirect_map")).toEqual({ state: "yes" });
    expect(haveProgramHelper(ProgramType.XDP, "bpf_get_socket_uid")).toEqual({
      state: "no",
      minimumVersion: "4.12",
      reason: expect.stringContaining("get_socket_uid#47"),
    });
    expect(haveProgramHelper(ProgramType.SCHED_CLS, "get_socket_uid")).toEqual({ state: "yes" });
    expect(haveProgramHelper(ProgramType.TRACING, 1)).toMatchObject({ state: "unknown" });
    expect(() => haveProgramHelper(ProgramType.XDP, "no_such")).toThrow('no helper function is called "no_such"');
    const helpers = probeFeatures("helper", ProgramType.SOCKET_FILTER);
    const tooNew = helpers.filter(({ since, support }) => support.state === "yes" && newerThanKernel(since));
    expect(tooNew).toEqual([]);
    expect(helpers.length).toBe(211);
  });

  it("leave the machine as it is", () => {
    using tracefs = detachedMount("tracefs");
    const switched = `/proc/self/fd/${tracefs.number}/events/bpf_trace/bpf_trace_printk/enable`;
    const before = readFileSync(switched, "latin1");
    writeFileSync(switched, "0");
    try {
      const found = probeFeatures("helper", ProgramType.XDP);
      expect(readFileSync(switched, "latin1")).toBe("0\n");
      const unknown = found.filter(({ support }) => support.state === "unknown").map(({ name }) => name);
      expect(unknown).toEqual(["xdp: trace_printk", "xdp: probe_write_user", "xdp: trace_vprintk"]);
    } finally {
      writeFileSync(switched, before);
    }
  });

  it("do not take for the kernel's what is this process's lack of capabilities", () => {
    const path = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
    const script = `
      import { haveKernelFeature } from ${path("./kernel-features.ts")};
      import { haveProgramHelper } from ${path("./helper-features.ts")};
      import { haveMapType } from ${path("./map-features.ts")};
      const found = [haveKernelFeature("bounded loops"), haveProgramHelper(1, "probe_read_kernel"), haveMapType(14)];
      for (const { state, reason } of found) console.log(state, reason);
      console.log(haveProgramHelper(1, "ktime_get_ns").state, haveKernelFeature("batch operations").state);
    `;
    const node = [process.execPath, "--conditions=skep-source", "--input-type=module", "-e", script];
    const [command = "", ...args] = asUser(["bpf"], node);
    const child = spawnSync(command, args, { encoding: "utf8", cwd: import.meta.dirname });
    expect(child.stderr).toBe("");
    const lacking = "this process has none of CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN";
    expect(child.stdout.split("\n")).toEqual([
      // Without mitigations 6.12 lets it have them, and 6.1 does not.
      expect.stringMatching(`^(yes undefined|unknown bpf\\(BPF_PROG_LOAD\\) failed: \\S+ .*; ${lacking})$`),
      // The words of Linux 6.8 and those before.
      expect.stringMatching(`^unknown (program of this type cannot use helper|unknown func) .*; ${lacking}$`),
      `unknown bpf(BPF_MAP_CREATE) failed: EPERM (operation not permitted); ${lacking}`,
      "yes yes",
      "",
    ]);
  });

  it("agree with each other", () => {
    expect(haveKernelFeature("arena")).toEqual(haveMapType(33));
    expect(haveMapFlag("MMAPABLE").state).toBe("yes");
  });
});

describe("an answer", () => {
  it("is kept when it decides, and asked for again when it does not", () => {
    let asked = 0;
    const answers: FeatureSupport[] = [{ state: "unknown", reason: "not now" }, { state: "yes" }];
    const ask = (): FeatureSupport => remembered("of this test", () => answers[asked++] as FeatureSupport);
    expect(ask().state).toBe("unknown");
    expect(ask().state).toBe("yes");
    expect(ask().state).toBe("yes");
    expect(asked).toBe(2);
  });

  it("is no only when the kernel did not understand", () => {
    const of = (errno: number): FeatureSupport => judge({ command: 0, errno }, "5.8", ["EBADF"]);
    expect(of(0)).toEqual({ state: "yes" });
    expect(of(9)).toEqual({ state: "yes" });
    for (const errno of [22, 7, 95, 524, 38]) expect(of(errno)).toMatchObject({ state: "no", minimumVersion: "5.8" });
    for (const errno of [1, 12, 4]) expect(of(errno)).toMatchObject({ state: "unknown" });
  });
});
