// SPDX-License-Identifier: Apache-2.0

import {
  BtfBuilder,
  BtfKind,
  CoreRelocationKind,
  Instructions,
  load,
  Opcode,
  type ProgramSpec,
  ProgramType,
  PseudoCall,
  readBtf,
} from "@skep/ebpf";
import { loadProgram } from "@skep/linux";
import { describe, expect, it, type TestContext } from "vitest";
import { kernelBtf } from "./kernel-btf.ts";
import { KernelEngine } from "./kernel-engine.ts";
import { type ModuleTypes, moduleTypes, openModuleTypes } from "./module-types.ts";
import { ModuleDescriptors } from "./resolve-externs.ts";

/** A struct that a loaded module has and the kernel itself does not. */
function structOfModule(ctx: TestContext): ModuleTypes & { readonly name: string; readonly size: number } {
  const base = kernelBtf();
  for (const types of base === undefined ? [] : moduleTypes()) {
    for (let id = base?.typeCount ?? 0; id < types.btf.typeCount; id++) {
      const type = types.btf.typeById(id);
      const named = type.kind === BtfKind.STRUCT && type.name !== "" && !type.name.includes("___");
      if (named && base?.idsByName(type.name).length === 0) return { ...types, name: type.name, size: type.size };
    }
  }
  return ctx.skip("the kernel has no modules with types");
}

describe("types of modules", () => {
  it("are relocated against", (ctx) => {
    const { name, size } = structOfModule(ctx);
    const builder = new BtfBuilder();
    const type = builder.add({ kind: BtfKind.STRUCT, name, size: 0, members: [] });
    const relocation = { instruction: 0, typeId: type, access: "0", kind: CoreRelocationKind.TYPE_SIZE };
    const program: ProgramSpec = {
      name: "main",
      section: "socket",
      type: ProgramType.SOCKET_FILTER,
      expectedAttachType: 0,
      flags: 0,
      attachTo: "",
      target: undefined,
      // r0 = 0; exit
      instructions: new Uint8Array([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]),
      mapReferences: [],
      externReferences: [],
      coreRelocations: [relocation],
      functionInfo: [],
      lineInfo: [],
      license: "GPL",
      kernelVersion: 0,
    };
    const spec = {
      byteOrder: "little" as const,
      programs: new Map([[program.name, program]]),
      maps: new Map(),
      variables: new Map(),
      externs: new Map(),
      btf: readBtf(builder.build()),
    };
    using engine = new KernelEngine();
    using collection = load(spec, { engine });
    expect(collection.program("main").run({ data: new Uint8Array(64) }).returned).toBe(size);
  });

  it("of a loaded module are open to instructions", (ctx) => {
    const { module } = structOfModule(ctx);
    using fd = openModuleTypes(module);
    expect(fd?.number).toBeGreaterThan(0);
  });

  it("go to the verifier by their descriptors", (ctx) => {
    if (kernelBtf()?.idsByName("bpf_rcu_read_lock").length === 0) ctx.skip("the kernel has no bpf_rcu_read_lock");
    using modules = new ModuleDescriptors();
    expect([modules.indexOf("vmlinux"), modules.indexOf("vmlinux")]).toEqual([1, 1]);
    expect(modules.array).toEqual(Int32Array.of(0, modules.descriptorOf("vmlinux")));
    const code = new Instructions(new Uint8Array(16), "little");
    code.setOpcode(0, Opcode.CALL);
    code.setRegisters(0, 0, PseudoCall.KFUNC);
    code.setOffset(0, 1);
    code.setImmediate(0, kernelBtf()?.idsByName("bpf_rcu_read_lock")[0] ?? 0);
    code.setOpcode(1, Opcode.EXIT);
    const bytes = new Uint8Array(4096);
    const descriptors = modules.array ?? new Int32Array();
    const options = { type: ProgramType.SOCKET_FILTER, instructions: code.bytes, license: "GPL", descriptors };
    expect(loadProgram(options, { bytes, level: 1 }).result).toBeLessThan(0);
    // The kernel's own types are no module's: it has come as far as to look.
    expect(new TextDecoder().decode(bytes)).toContain("BTF fd for kfunc is not a module BTF");
  });

  it("are opened by their names, as are those of the kernel itself", () => {
    using fd = openModuleTypes("vmlinux");
    expect(fd?.number).toBeGreaterThan(0);
    expect(openModuleTypes("skep_has_no_such_module")).toBeUndefined();
  });
});
