// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { once } from "node:events";
import { type CollectionSpec, type LoadOptions, load, type StructOpsSpec } from "@skep/ebpf";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { congestionControls, sendUnder } from "../test-objects/congestion.ts";
import { TestNetwork } from "../test-objects/links-network.ts";
import { objectSpec } from "../test-objects/load-object.ts";
import { orSkip } from "../test-objects/or-skip.ts";
import { KernelEngine } from "./kernel-engine.ts";

const KIB_256 = 1 << 18;

let network: TestNetwork;
beforeAll(() => {
  network = new TestNetwork();
});
afterAll(() => network[Symbol.dispose]());

function structOpsOf(spec: CollectionSpec, name: string): StructOpsSpec {
  const found = spec.maps.get(name)?.structOps;
  if (found === undefined) throw new Error(`no struct_ops ${name}`);
  return found;
}

function loadOrSkip(ctx: TestContext, spec: CollectionSpec, options: Omit<LoadOptions, "engine"> = {}) {
  return orSkip(
    ctx,
    () => load(spec, { engine: new KernelEngine(), ...options }),
    "the kernel has no links to struct_ops",
  );
}

describe("struct_ops", () => {
  it("serves connections by its link until that is closed", async (ctx) => {
    using app = loadOrSkip(ctx, objectSpec("struct-ops"), { structOps: ["linked"] });
    expect(congestionControls()).not.toContain("skep_linked");
    const link = app.structOps("linked").attach();
    expect(congestionControls()).toContain("skep_linked");
    expect(link.info()).toMatchObject({ kind: "struct_ops", programId: 0 });
    expect(await sendUnder(network.leftPath, "skep_linked")).toBe(KIB_256);
    expect(app.variable("begun").get()).toBe(1n);
    expect(app.variable<bigint>("avoided").get()).toBeGreaterThan(0n);
    link.close();
    expect(congestionControls()).not.toContain("skep_linked");
    expect(await sendUnder(network.leftPath, "skep_linked")).toBe("ENOENT");
    using _again = app.structOps("linked").attach();
    expect(congestionControls()).toContain("skep_linked");
  });

  it("is attached with all the rest, but not what begins with a question mark", (ctx) => {
    const spec = objectSpec("struct-ops");
    // XDP wants an interface, which its section does not name.
    const programs = new Map([...spec.programs].filter(([name]) => name !== "an_xdp"));
    using app = loadOrSkip(ctx, { ...spec, programs });
    expect([...app.programs.keys()].sort()).toEqual(
      ["fixed_cong_avoid", "fixed_init", "fixed_ssthresh", "fixed_undo_cwnd"].sort(),
    );
    expect(app.attach()).toHaveLength(1);
    expect(app.links).toHaveLength(1);
    expect(congestionControls()).toContain("skep_linked");
    expect(() => app.structOps("unlinked")).toThrow('no struct_ops "unlinked"; there is linked');
    app.close();
    expect(congestionControls()).not.toContain("skep_linked");
  });

  it("gives way to another one by an update of the link", async (ctx) => {
    using app = loadOrSkip(ctx, objectSpec("struct-ops"), { structOps: ["linked", "successor"] });
    using link = app.structOps("linked").attach();
    link.update(app.structOps("successor"));
    expect(await sendUnder(network.leftPath, "skep_linked")).toBe(KIB_256);
    expect(app.variable("begun").get()).toBe(0n);
    expect(app.variable("begun_otherwise").get()).toBe(1n);
    expect(() => link.update(app.program("fixed_init"))).toThrow(
      "struct_ops linked is changed for another struct_ops map of this engine",
    );
  });

  it("without a link is registered until it is closed", async (ctx) => {
    using app = loadOrSkip(ctx, objectSpec("struct-ops"), { structOps: ["unlinked"] });
    expect(congestionControls()).not.toContain("skep_unlinked");
    const link = app.structOps("unlinked").attach();
    expect(await sendUnder(network.leftPath, "skep_unlinked")).toBe(KIB_256);
    expect(app.variable<bigint>("avoided").get()).toBeGreaterThan(0n);
    expect(() => link.info()).toThrow("not by one kernel link");
    app.structOps("unlinked").map.close();
    link.close();
    expect(congestionControls()).not.toContain("skep_unlinked");
    expect(() => app.structOps("unlinked").attach()).toThrow('struct_ops "unlinked" is closed');
  });

  it("refuses programs that are closed by then", (ctx) => {
    const spec = objectSpec("struct-ops");
    using app = loadOrSkip(ctx, spec, { structOps: ["unlinked"] });
    app.program("fixed_ssthresh").program.close();
    expect(() => app.structOps("unlinked").attach()).toThrow('program "fixed_ssthresh" is closed');
    expect(congestionControls()).not.toContain("skep_unlinked");
  });

  it("takes the members and programs that were set before the load", async (ctx) => {
    const spec = objectSpec("struct-ops");
    const linked = structOpsOf(spec, "linked");
    linked.set("name", "skep_renamed");
    linked.programs.set("init", "other_init");
    using app = loadOrSkip(ctx, spec, { structOps: ["linked"] });
    using _link = app.structOps("linked").attach();
    expect(await sendUnder(network.leftPath, "skep_renamed")).toBe(KIB_256);
    expect(app.variable("begun_otherwise").get()).toBe(1n);
    expect([...app.programs.keys()]).not.toContain("fixed_init");
  });

  it("is gone when its process is killed", async (ctx) => {
    loadOrSkip(ctx, objectSpec("struct-ops"), { structOps: ["linked"] }).close();
    const script = `
      import { loadObject } from ${JSON.stringify(new URL("../test-objects/load-object.ts", import.meta.url).href)};
      globalThis.object = loadObject("struct-ops", { structOps: ["linked"], programs: [] });
      object.collection.structOps("linked").attach();
      console.log("attached");
      setInterval(() => undefined, 1000);
    `;
    const args = ["--conditions=skep-source", "--input-type=module", "-e", script];
    const child = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [text] = await once(child.stdout, "data");
      expect(String(text)).toBe("attached\n");
      expect(congestionControls()).toContain("skep_linked");
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    expect(congestionControls()).not.toContain("skep_linked");
  });
});

describe("a struct that does not fit", () => {
  const loading = (
    change: (spec: CollectionSpec, linked: StructOpsSpec) => void,
    options: Partial<LoadOptions> = {},
  ) => {
    const spec = objectSpec("struct-ops");
    change(spec, structOpsOf(spec, "linked"));
    return () => load(spec, { engine: new KernelEngine(), structOps: ["linked"], ...options });
  };

  it("is refused by name of what the kernel lacks", () => {
    expect(loading((_, linked) => linked.set("not_in_the_kernel", 1))).toThrow(
      'struct_ops "linked", member "not_in_the_kernel": the kernel\'s struct tcp_congestion_ops has no such member, and it is not zero',
    );
    expect(loading((_, linked) => linked.programs.set("no_such_function", "unused_init"))).toThrow(
      'program "unused_init": the kernel\'s struct tcp_congestion_ops has no member "no_such_function"',
    );
    expect(loading(() => undefined, { structOps: ["unknown"] })).toThrow(
      'struct_ops "no_such_ops" is not supported here',
    );
  });

  it("is refused for programs that are not for it", () => {
    expect(loading((_, linked) => linked.programs.set("init", "an_xdp"))).toThrow(
      'struct_ops "linked", member "init": program "an_xdp" is of type xdp, wanted struct_ops',
    );
    expect(loading((_, linked) => linked.programs.set("init", "none"))).toThrow('no program "none"');
    expect(loading((_, linked) => linked.programs.set("flags", "fixed_init"))).toThrow('member "flags": no function');
    expect(loading((_, linked) => linked.programs.set("init", "fixed_ssthresh"))).toThrow(
      'program "fixed_ssthresh" is for tcp_congestion_ops:ssthresh and for tcp_congestion_ops:init: it can be for one',
    );
    expect(loading(() => undefined, { structOps: ["none"] })).toThrow(
      'no struct_ops "none"; there are linked, successor',
    );
  });

  it("is refused where a program is not loaded", () => {
    const spec = objectSpec("struct-ops");
    const engine = new KernelEngine();
    if (spec.btf === undefined) throw new Error("no types");
    using types = engine.loadTypes(spec.btf);
    const map = spec.maps.get("linked");
    if (map === undefined) throw new Error("no map");
    expect(() => engine.createMap(map, types, spec.btf, new Map())).toThrow(
      'struct_ops "linked" refers to program "fixed_undo_cwnd", which is not loaded',
    );
  });
});
