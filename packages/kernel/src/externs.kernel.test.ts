// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import { BtfKind, Instructions, PseudoLoad, VerifierError } from "@skep/ebpf";
import { describe, expect, it, type TestContext } from "vitest";
import { loadObject, objectSpec } from "../test-objects/load-object.ts";
import { kernelBtf } from "./kernel-btf.ts";
import { kernelConfig } from "./kernel-config.ts";
import { writeExterns } from "./resolve-externs.ts";
import { linuxVersionCode } from "./version-code.ts";

const object = "../../ebpf/test-objects/extern";

/** All that the object asks for of the kernel's configuration. */
const given = {
  CONFIG_BPF: true,
  CONFIG_BPF_SYSCALL: "TRI_YES",
  CONFIG_NET: 121,
  CONFIG_CC_VERSION_TEXT: "none",
  CONFIG_HZ: 1n,
};

describe("a kernel's configuration", () => {
  it("is what an object finds in .kconfig", (ctx) => {
    if (kernelConfig().value("CONFIG_BPF") === undefined) ctx.skip("the kernel's configuration cannot be read");
    using loaded = loadObject(object, { programs: ["kconfig", "text"] });
    expect(loaded.run("kconfig")).toBe(linuxVersionCode());
    expect(loaded.collection.variable("LINUX_KERNEL_VERSION").get()).toBe(linuxVersionCode());
    expect(loaded.collection.variable("LINUX_HAS_BPF_COOKIE").get()).toBe(true);
    expect(loaded.collection.variable("CONFIG_BPF_SYSCALL").get()).toBe("TRI_YES");
    expect(loaded.collection.variable("CONFIG_CC_VERSION_TEXT").get()).toMatch(/gcc|clang/i);
    expect(loaded.collection.variable("CONFIG_SKEP_HAS_NO_SUCH").get()).toBe(0);
    expect(() => loaded.collection.variable("CONFIG_NET").set(1)).toThrow("is frozen");
  });

  it("gives way to values that are given", () => {
    using loaded = loadObject(object, { programs: ["kconfig"], variables: { ...given, LINUX_KERNEL_VERSION: 77 } });
    expect(loaded.run("kconfig")).toBe(77);
  });
});

describe("symbols of the kernel", () => {
  it("are found in its list of symbols, or weak and 0", () => {
    using loaded = loadObject(object, { programs: ["symbols"] });
    const line = /^([0-9a-f]+) \S __start_BTF$/m.exec(readFileSync("/proc/kallsyms", "latin1"));
    expect(loaded.run("symbols")).toBe(Number(BigInt(`0x${line?.[1]}`) >> 32n));
  });

  it("are variables by their types", (ctx) => {
    // Without CONFIG_KALLSYMS_ALL the kernel describes its variables, and does not find them.
    const addresses = readFileSync("/proc/kallsyms", "latin1");
    if (!addresses.includes(" bpf_prog_active\n")) ctx.skip("the kernel's list of symbols has no variables");
    using loaded = loadObject(object, { programs: ["variable"] });
    expect(loaded.run("variable")).toBeGreaterThanOrEqual(100);
  });

  it.each([false, true])("are variables by their ids in the instructions, weak: %s", (weak) => {
    const spec = objectSpec(object);
    const program = spec.programs.get("variable");
    const declared = spec.externs.get("bpf_prog_active");
    if (program === undefined || declared === undefined || spec.btf === undefined) throw new Error("no program");
    const bytes = program.instructions.slice();
    const externs = { symbols: new Map([[declared.name, { ...declared, weak }]]), btf: spec.btf };
    using modules = writeExterns(
      { spec: program, instructions: bytes, maps: new Map(), types: undefined, externs },
      bytes,
    );
    const code = new Instructions(bytes, "little");
    const at = program.externReferences[0]?.instruction ?? -1;
    expect(modules.array).toBeUndefined();
    if (weak && !readFileSync("/proc/kallsyms", "latin1").includes(" bpf_prog_active\n")) {
      expect([code.source(at), code.immediate(at), code.immediate(at + 1)]).toEqual([0, 0, 0]);
      return;
    }
    expect([code.source(at), code.immediate(at + 1)]).toEqual([PseudoLoad.BTF_ID, 0]);
    expect(kernelBtf()?.typeById(code.immediate(at))).toMatchObject({ kind: BtfKind.VAR, name: "bpf_prog_active" });
  });

  it("are functions that a program calls, and asks for before it does", (ctx) => {
    skipWithoutFunctions(ctx);
    using loaded = loadObject(object, { programs: ["functions"] });
    expect(loaded.run("functions")).toBe(64 + 7 - 14);
  });

  it("are functions that a kernel may have or not", () => {
    const there =
      kernelBtf()?.idsByName("bpf_skb_ct_lookup").length !== 0 || existsSync("/sys/kernel/btf/nf_conntrack");
    using loaded = loadObject("conntrack");
    expect(loaded.run("look_up")).toBe(there ? 3 : 1);
  });

  it("are functions of modules", (ctx) => {
    // `modprobe nf_conntrack` is for whoever starts the tests: a module outlives them.
    if (!existsSync("/sys/kernel/btf/nf_conntrack")) ctx.skip("the kernel has no module nf_conntrack with types");
    using loaded = loadObject("conntrack");
    expect(loaded.run("look_up")).toBe(3);
  });

  it("that are missing and reached are named", (ctx) => {
    skipWithoutFunctions(ctx);
    let error: unknown;
    try {
      loadObject(object, { programs: ["unguarded"] })[Symbol.dispose]();
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(VerifierError);
    const { explanation, hint } = (error as VerifierError).finding;
    expect(explanation).toMatch(/^The program calls "skep_has_no_such_function" \(__ksym __weak\)/);
    expect(hint).toContain("bpf_ksym_exists(skep_has_no_such_function)");
  });
});

function skipWithoutFunctions(ctx: TestContext): void {
  if (kernelBtf()?.idsByName("bpf_rcu_read_lock").length === 0) ctx.skip("the kernel has no bpf_rcu_read_lock");
}
