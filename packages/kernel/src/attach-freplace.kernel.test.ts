// SPDX-License-Identifier: Apache-2.0

import { type Collection, type LoadOptions, load } from "@skep/ebpf";
import { isSystemCallError } from "@skep/linux";
import { describe, expect, it, type TestContext } from "vitest";
import { sendTo, TestNetwork } from "../test-objects/links-network.ts";
import { objectSpec } from "../test-objects/load-object.ts";
import { KernelEngine } from "./kernel-engine.ts";

const data = new Uint8Array(64);

const judges = (): Collection =>
  load(objectSpec("freplace"), { engine: new KernelEngine(), programs: ["judge", "judge_too"] });

/** One of the programs that go to a function of another one. */
function loadFor(name: string, options: Partial<LoadOptions>): Collection {
  return load(objectSpec("freplace"), { engine: new KernelEngine(), programs: [name], ...options });
}

function loadOrSkip(ctx: TestContext, name: string, options: Partial<LoadOptions>): Collection {
  try {
    return loadFor(name, options);
  } catch (error) {
    if (isSystemCallError(error, "EPERM")) ctx.skip("the kernel permits no trampolines");
    throw error;
  }
}

const run = (app: Collection, name: string): number => app.program(name).run({ data }).returned;

describe("freplace", () => {
  it("runs in the place of the function until it is closed", (ctx) => {
    using target = judges();
    expect(run(target, "judge")).toBe(1);
    using app = loadOrSkip(ctx, "seven", { targetPrograms: { seven: target.program("judge") } });
    const link = app.program("seven").attach();
    expect(link.info()).toMatchObject({ kind: "tracing" });
    expect([run(target, "judge"), run(target, "judge_too")]).toEqual([7, 101]);
    link.close();
    expect(run(target, "judge")).toBe(1);
  });

  it("goes to a function of another program than the one that it was loaded for", (ctx) => {
    using target = judges();
    using app = loadOrSkip(ctx, "seven", { targetPrograms: { seven: target.program("judge") } });
    const { program } = target.program("judge_too");
    using _link = app.program("seven").attach({ freplace: { program, function: "verdict" } });
    expect([run(target, "judge"), run(target, "judge_too")]).toEqual([1, 107]);
    expect(() => app.program("seven").attach({ freplace: { function: "another" } })).toThrow(
      'program "seven" was loaded for function "verdict"; give the program whose "another" it replaces',
    );
  });

  it("wants a program, and a function of it", () => {
    using target = judges();
    const targetPrograms = { seven: target.program("judge") };
    expect(() => loadFor("seven", {})).toThrow(
      'program "seven" replaces a function of another program: give that one in targetPrograms',
    );
    expect(() => loadFor("seven", { targetPrograms: { none: target.program("judge") } })).toThrow('no program "none"');
    const spec = objectSpec("freplace");
    const seven = spec.programs.get("seven");
    if (seven === undefined) throw new Error("no program seven");
    const again = () => load(spec, { engine: new KernelEngine(), programs: ["seven"], targetPrograms });
    seven.attachTo = "no_such";
    expect(again).toThrow('no function in program "judge" "no_such"; there are judge, verdict');
    seven.attachTo = "";
    expect(again).toThrow("names no function; set attachTo");
    expect(() => loadFor("judge", { targetPrograms: { judge: target.program("judge") } })).toThrow(
      "freplace, fentry and fexit alone go to another program",
    );
  });
});

describe("fentry of a module", () => {
  it("observes its function", (ctx) => {
    using network = new TestNetwork();
    using app = loadOrSkip(ctx, "on_veth", {});
    using _link = app.program("on_veth").attach();
    const before = app.variable<bigint>("entered").get();
    sendTo(network.left, "10.77.0.2");
    expect(app.variable<bigint>("entered").get()).toBeGreaterThan(before);
  });
});

describe("fentry and fexit of another program", () => {
  it("observe its function", (ctx) => {
    using target = judges();
    const judge = target.program("judge");
    using app = loadOrSkip(ctx, "on_entry", {
      programs: ["on_entry", "on_exit"],
      targetPrograms: { on_entry: judge, on_exit: judge },
    });
    const links = app.attach();
    expect(run(target, "judge")).toBe(1);
    run(target, "judge_too");
    expect([app.variable("entered").get(), app.variable("result").get()]).toEqual([1n, 1n]);
    for (const link of links) link.close();
    run(target, "judge");
    expect(app.variable("entered").get()).toBe(1n);
  });
});
