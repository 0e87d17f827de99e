// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BtfKind } from "../btf/types.ts";
import { describeType } from "../core/describe-type.ts";
import { readElf } from "../elf/read-elf.ts";
import { MalformedError } from "../errors.ts";
import { Instructions, Opcode, PseudoCall, PseudoLoad } from "../instruction.ts";
import { parseObject } from "../parse-object.ts";

function object(name = "extern"): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../test-objects/${name}.bpf.o`, import.meta.url)));
}

const spec = parseObject(object());
const { btf } = spec;
if (btf === undefined) throw new Error("the object has no BTF");

describe("externs of an object", () => {
  it("are the symbols of .ksyms, with what the object knows of them", () => {
    const described = [...spec.externs.values()].map(({ name, kind, typeId, weak }) => [
      name,
      kind,
      describeType(btf, typeId),
      weak,
    ]);
    expect(described).toEqual([
      ["skep_has_no_such_function", "function", "int (int)", true],
      ["bpf_rdonly_cast___flavoured", "function", "void * (const void *, __u32)", true],
      ["bpf_rcu_read_lock", "function", "void ()", false],
      ["bpf_rcu_read_unlock", "function", "void ()", false],
      ["skep_has_no_such_symbol", "untyped variable", "void", true],
      ["skep_has_no_such_variable", "typed variable", "const int", true],
      ["__start_BTF", "untyped variable", "void", false],
      ["bpf_prog_active", "typed variable", "const int", false],
    ]);
  });

  it("are marked where programs refer to them", () => {
    const program = spec.programs.get("functions");
    const code = new Instructions(program?.instructions ?? new Uint8Array(), "little");
    const references = program?.externReferences.map(({ instruction, name }) => [
      name,
      code.opcode(instruction),
      code.source(instruction),
      code.immediate(instruction),
    ]);
    expect(references).toEqual([
      ["skep_has_no_such_function", Opcode.LD_IMM64, 0, 0],
      ["skep_has_no_such_function", Opcode.CALL, PseudoCall.KFUNC, 0],
      ["bpf_rdonly_cast___flavoured", Opcode.LD_IMM64, 0, 0],
      ["bpf_rcu_read_lock", Opcode.CALL, PseudoCall.KFUNC, 0],
      ["bpf_rcu_read_unlock", Opcode.CALL, PseudoCall.KFUNC, 0],
    ]);
    expect(program?.functionInfo).toHaveLength(1);
    expect(program?.lineInfo.length).toBeGreaterThan(3);
  });

  it("of .kconfig are variables of a frozen map", () => {
    expect(spec.maps.get(".kconfig")).toMatchObject({ keySize: 4, maxEntries: 1, data: { readOnly: true } });
    const variables = [...spec.variables.values()].filter(({ map }) => map === ".kconfig");
    expect(variables.map(({ name, offset, size, extern }) => [name, offset, size, extern])).toEqual([
      ["CONFIG_BPF", 0, 1, "strong"],
      ["CONFIG_BPF_SYSCALL", 4, 4, "strong"],
      ["CONFIG_NET", 8, 1, "strong"],
      ["CONFIG_SKEP_HAS_NO_SUCH", 10, 2, "weak"],
      ["LINUX_KERNEL_VERSION", 12, 4, "strong"],
      ["CONFIG_CC_VERSION_TEXT", 16, 96, "strong"],
      ["CONFIG_HZ", 112, 8, "strong"],
      ["LINUX_HAS_BPF_COOKIE", 120, 1, "weak"],
      ["LINUX_HAS_SYSCALL_WRAPPER", 121, 1, "weak"],
    ]);
    expect(spec.maps.get(".kconfig")?.valueSize).toBe(122);
    const program = spec.programs.get("kconfig");
    const code = new Instructions(program?.instructions ?? new Uint8Array(), "little");
    for (const { instruction, map, valueOffset } of program?.mapReferences ?? []) {
      expect([map, code.source(instruction)]).toEqual([".kconfig", PseudoLoad.MAP_VALUE]);
      expect(code.immediate(instruction + 1)).toBe(valueOffset);
    }
    expect(program?.mapReferences.map(({ valueOffset }) => valueOffset)).toEqual([0, 4, 8, 10, 12]);
  });

  it("are described as the kernel takes it: variables with places, functions with names", () => {
    const sections = new Map<string, { size: number; variables: readonly { type: number; offset: number }[] }>();
    for (let id = 1; id < btf.typeCount; id++) {
      const type = btf.typeById(id);
      if (type.kind === BtfKind.DATASEC) sections.set(type.name, type);
      if (type.kind === BtfKind.VAR || type.kind === BtfKind.FUNC) expect(type.linkage).toBe("global");
      if (type.kind !== BtfKind.FUNC) continue;
      const prototype = btf.typeById(type.type);
      if (prototype.kind !== BtfKind.FUNC_PROTO) throw new Error("a function without a prototype");
      for (const parameter of prototype.parameters) expect(parameter.name).not.toBe("");
    }
    const symbols = sections.get(".ksyms");
    expect(symbols?.size).toBe(64);
    expect(symbols?.variables.map(({ type }) => btf.typeById(type))).toMatchObject(
      [...spec.externs.keys()].map((name) => ({ kind: BtfKind.VAR, name })),
    );
    expect(symbols?.variables.map(({ offset }) => offset)).toEqual([0, 8, 16, 24, 32, 40, 48, 56]);
    expect(sections.get(".kconfig")?.size).toBe(122);
  });

  it("are the same in a big-endian object", () => {
    const big = parseObject(object("extern-big"));
    expect(big.byteOrder).toBe("big");
    expect(big.externs).toEqual(spec.externs);
    expect(big.variables).toEqual(spec.variables);
    expect(big.btf?.typeCount).toBe(btf.typeCount);
    for (let id = 1; id < btf.typeCount; id++) expect(big.btf?.typeById(id)).toEqual(btf.typeById(id));
    for (const [name, { externReferences, mapReferences }] of spec.programs) {
      expect(big.programs.get(name)).toMatchObject({ externReferences, mapReferences });
    }
  });

  it("need BTF that declares them", () => {
    const bytes = object();
    const names = readElf(bytes).sections.find(({ name }) => name === ".strtab");
    const at = new TextDecoder("latin1").decode(names?.bytes).indexOf("bpf_prog_active\0");
    names?.bytes.set(new TextEncoder().encode("bpf_prog_unknown".slice(0, 15)), at);
    expect(() => parseObject(bytes)).toThrow(MalformedError);
    expect(() => parseObject(bytes)).toThrow(
      'program "variable", instruction 1: extern "bpf_prog_unknow" is defined in no',
    );
  });
});
