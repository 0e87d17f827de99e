// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { kernelRelease } from "@skep/linux";
import { SkepProcess, type SkepProcessOptions } from "@skep/testbed";
import { describe, expect, it } from "vitest";

interface Report {
  readonly release: string;
  readonly canObserve: boolean;
  readonly findings: readonly { readonly name: string; readonly state: string; readonly detail: string }[];
}

async function doctor(args: readonly string[], options: SkepProcessOptions = {}) {
  await using skep = new SkepProcess(["doctor", ...args], options);
  const [status] = await once(skep.child, "close");
  return { output: skep.output, status };
}

describe("skep doctor", () => {
  it("tells what this kernel has, and that it can be observed", async () => {
    const { output, status } = await doctor(["-o", "json"]);
    const report = JSON.parse(output) as Report;
    expect(report).toMatchObject({ release: kernelRelease(), canObserve: true });
    const states = Object.fromEntries(report.findings.map(({ name, state }) => [name, state]));
    expect(states).toMatchObject({ "bpf system call": "yes", capabilities: "yes", "ring buffer": "yes" });
    expect(status).toBe(0);
  });

  it("tells an ordinary user what is missing, and what would help", async () => {
    const { output, status } = await doctor([], { capabilities: [] });
    expect(output).toContain("skep cannot observe this machine, and plays a recording.");
    expect(output).toMatch(/What would help:\n(.*\n)*.*CAP_BPF/);
    expect(status).toBe(1);
  });
});
