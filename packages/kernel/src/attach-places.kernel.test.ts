// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { executableSymbols, findExecutable, usdtSites } from "@skep/linux";
import { UsdtProgram } from "@skep/testbed";
import { describe, expect, it } from "vitest";
import { loadObject } from "../test-objects/load-object.ts";
import { orSkip } from "../test-objects/or-skip.ts";

const variables = { wanted: process.pid };
const libc = findExecutable("libc.so.6") ?? "";
/** The kernel function behind getppid(2). */
const sysGetppid = process.arch === "arm64" ? "__arm64_sys_getppid" : "__x64_sys_getppid";

function callGetppid(times: number): void {
  for (let i = 0; i < times; i++) expect(process.ppid).toBeGreaterThan(0);
}

describe("a uprobe", () => {
  it("runs at an instruction inside of a function", async () => {
    using app = new UsdtProgram("pie");
    await using running = app.start();
    using object = loadObject("links-probes", { variables: { wanted: running.pid }, programs: ["on_uprobe"] });
    // The nop of a USDT probe stands in the middle of the function.
    const inside = usdtSites(app.path).find(({ name }) => name === "silent")?.offset ?? 0;
    const offset = inside - (executableSymbols(app.path).get("fire")?.offset ?? 0);
    expect(offset).toBeGreaterThan(0);
    const link = object.collection.program("on_uprobe").attach({ uprobe: { file: app.path, symbol: "fire", offset } });
    await running.fire();
    await running.fire();
    expect(object.variable("seen")).toBe(2n);
    link.close();
    await running.fire();
    expect(object.variable("seen")).toBe(2n);
  });
});

it.for([{ uprobe: { file: libc, symbol: "strlen" } }, { uprobeMulti: { file: libc, symbols: ["getuid", "strlen"] } }])(
  "%j refuses a function that is chosen when programs start",
  (target) => {
    using object = loadObject("links-probes", { variables, programs: ["on_uprobe"] });
    const program = object.collection.program("on_uprobe");
    expect(() => program.attach(target)).toThrow('"strlen" is one of several functions, chosen when a program starts');
  },
);

describe("a uprobe_multi link", () => {
  it("runs at the returns of functions by their offsets, in one process", (ctx) => {
    using object = loadObject("links-probes", { variables, programs: ["on_uprobe_multi"] });
    const symbols = executableSymbols(libc);
    const offsets = ["getuid", "geteuid"].map((name) => symbols.get(name)?.offset ?? 0);
    const uprobeMulti = { file: libc, offsets, cookies: [100n, 1n], moment: "return", pid: process.pid } as const;
    using link = orSkip(ctx, () => object.collection.program("on_uprobe_multi").attach({ uprobeMulti }));
    process.getuid?.();
    process.geteuid?.();
    expect([object.variable("seen"), object.variable("cookies")]).toEqual([2n, 101n]);
    expect(link.info()).toMatchObject({ kind: "uprobe_multi", count: 2, flags: 1, pid: process.pid });
  });
});

describe("a kprobe_multi link", () => {
  it.for(["addresses", "return", "session"] as const)("runs by %s", (by, ctx) => {
    const [file, name] = by === "session" ? ["links-places", "on_kprobe_session"] : ["links-probes", "on_kprobe_multi"];
    using object = loadObject(file, { variables, programs: [name] });
    const points = {
      addresses: { addresses: [addressOfFunction(sysGetppid)] },
      return: { symbols: [sysGetppid], moment: "return" },
      session: { symbols: [sysGetppid], moment: "session" },
    } as const;
    const program = object.collection.program(name);
    const link = orSkip(ctx, () => program.attach({ kprobeMulti: points[by] }), "the kernel has no fprobe");
    callGetppid(5);
    // A session runs at both ends.
    expect(object.variable("seen")).toBe(by === "session" ? 10n : 5n);
    expect(link.info()).toMatchObject({ kind: "kprobe_multi", count: 1, missed: 0n });
    link.close();
    callGetppid(1);
    expect(object.variable("seen")).toBe(by === "session" ? 10n : 5n);
  });
});

function addressOfFunction(name: string): bigint {
  const line = readFileSync("/proc/kallsyms", "latin1")
    .split("\n")
    .find((each) => each.endsWith(` ${name}`));
  return BigInt(`0x${line?.split(" ")[0] ?? "0"}`);
}
