// SPDX-License-Identifier: Apache-2.0

import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { disassemble } from "../disassemble.ts";
import { InvalidValueError, MalformedError } from "../errors.ts";
import { parseObject } from "../parse-object.ts";
import { assemble, parseAssembly } from "./assemble.ts";
import type { AssemblyInstruction } from "./assembly-instruction.ts";
import { decodeProgram } from "./decode-program.ts";
import { encodeProgram } from "./encode-program.ts";

/** What the verifier would print for a source, without slots and opcodes. */
function readBack(source: string, byteOrder: "little" | "big" = "little"): string[] {
  const text = disassemble({ name: "test", ...assemble(source, byteOrder) }, { byteOrder });
  return text.split("\n").flatMap((line) => /^ *\d+: \(..\) (.*)$/.exec(line)?.[1] ?? []);
}

const ARITHMETIC = [
  ...[
    ["add", "+="],
    ["sub", "-="],
    ["mul", "*="],
    ["div", "/="],
    ["or", "|="],
    ["and", "&="],
    ["lsh", "<<="],
  ],
  ...[
    ["rsh", ">>="],
    ["mod", "%="],
    ["xor", "^="],
    ["mov", "="],
    ["arsh", "s>>="],
    ["sdiv", "s/="],
    ["smod", "s%="],
  ],
];
const CONDITIONS = [
  ...[
    ["jeq", "=="],
    ["jgt", ">"],
    ["jge", ">="],
    ["jset", "&"],
    ["jne", "!="],
    ["jsgt", "s>"],
    ["jsge", "s>="],
  ],
  ...[
    ["jlt", "<"],
    ["jle", "<="],
    ["jslt", "s<"],
    ["jsle", "s<="],
  ],
];

describe("assemble", () => {
  it.each(ARITHMETIC)("%s of both widths, with a register and a number", (name, sign) => {
    expect(readBack(`${name} %r1, %r10\n${name}32 %r1, %r2\n${name} %r3, -7\n${name}32 %r3, 0x10`)).toEqual([
      ...[`r1 ${sign} r10`, `w1 ${sign} w2`, `r3 ${sign} -7`, `w3 ${sign} 16`],
    ]);
  });

  it.each(CONDITIONS)("%s of both widths", (name, sign) => {
    expect(readBack(`${name} %r1, %r2, +1\n${name}32 %r1, 0x80000000, -1\nexit`)).toEqual([
      ...[`if r1 ${sign} r2 goto pc+1`, `if w1 ${sign} 0x80000000 goto pc-1`, "exit"],
    ]);
  });

  it.each([
    ["neg %r1", "r1 = -r1"],
    ["neg32 %r1", "w1 = -w1"],
    ["le16 %r1", "r1 = le16 r1"],
    ["be64 %r1", "r1 = be64 r1"],
    ["bswap32 %r1", "r1 = bswap32 r1"],
    ["swap16 %r1", "r1 = bswap16 r1"],
    ["movsx832 %r1, %r2", "w1 = (s8)w2"],
    ["movsx3264 %r1, %r2", "r1 = (s32)r2"],
    ["ldxb %r1, [%r2+8]", "r1 = *(u8 *)(r2 +8)"],
    ["ldxdw %r1, [%r10-0x10]", "r1 = *(u64 *)(r10 -16)"],
    ["ldxsw %r1, [%r2]", "r1 = *(s32 *)(r2 +0)"],
    ["stxh [%r10-2], %r1", "*(u16 *)(r10 -2) = r1"],
    ["stdw [%r10-8], -1", "*(u64 *)(r10 -8) = -1"],
    ["ldabsh 12", "r0 = *(u16 *)skb[12]"],
    ["ldindw %r1, 4", "r0 = *(u32 *)skb[r1 + 4]"],
    ["lock add [%r10-8], %r1", "lock *(u64 *)(r10 -8) += r1"],
    ["lock fetch xor32 [%r10-8], %r1", "r1 = atomic_fetch_xor((u32 *)(r10 -8), r1)"],
    ["lock xchg [%r10-8], %r1", "r1 = atomic64_xchg((u64 *)(r10 -8), r1)"],
    ["lock cmpxchg32 [%r10-8], %r1", "r0 = atomic_cmpxchg((u32 *)(r10 -8), r0, r1)"],
    ["ldacqw %r1, [%r2+4]", "r1 = load_acquire((u32 *)(r2 +4))"],
    ["streldw [%r2+4], %r1", "store_release((u64 *)(r2 +4), r1)"],
    ["ja +3", "goto pc+3"],
    ["ja32 -70000", "gotol pc-70000"],
    ["may_goto +2", "may_goto pc+2"],
    ["addr_space_cast %r1, %r2, 0, 1", "r1 = addr_space_cast(r2, 0, 1)"],
    ["lddw %r1, 0xfedcba9876543210", "r1 = 0xfedcba9876543210"],
    ["lddw %r1, -1", "r1 = 0xffffffffffffffff"],
    ["lddw %r1, map[events]", "r1 = map[events]"],
    ["lddw %r1, map[.rodata][0]+16", "r1 = map[.rodata][0]+16"],
    ["call 5", "call bpf_ktime_get_ns#5"],
    ["call bpf_map_lookup_elem", "call bpf_map_lookup_elem#1"],
    ["call kfunc 77", "call kernel-function#77"],
    ["call runtime 0x4d", "call kernel-function#77"],
    ["call helper 5", "call bpf_ktime_get_ns#5"],
    ["call %r2", "callx r2"],
    ["call helper %r2", "callx r2"],
    ["load_acquire32 %r1, [%r2+4]", "r1 = load_acquire((u32 *)(r2 +4))"],
    ["store_release [%r2+4], %r1", "store_release((u64 *)(r2 +4), r1)"],
    ["mov %r1, 0xfffffffffffffff0", "r1 = -16"],
    ["exit", "exit"],
  ])("%s in either byte order", (source, expected) => {
    expect(readBack(source)).toEqual([expected]);
    expect(readBack(source, "big")).toEqual([expected]);
  });

  it("follows labels over wide instructions, backwards and into functions", () => {
    const source = `
      start: lddw %r1, 1   # two slots
      jeq %r1, 1, done     ; over one of two slots
      lddw %r2, helper
      ja start             // back
      done:
      call local helper
      exit
      helper:
      exit`;
    const { labels } = assemble(source);
    expect(Object.fromEntries(labels)).toEqual({ start: 0, done: 6, helper: 8 });
    expect(readBack(source)).toEqual([
      ...["r1 = 0x1", "if r1 == 0x1 goto pc+3", "r2 = subprog_8", "goto pc-6", "call subprog_8", "exit", "exit"],
    ]);
  });

  it("takes exit as the next exit, or else the last one before", () => {
    expect(readBack("jeq %r1, 0, exit\nmov %r0, 1\nexit\nja exit")).toEqual([
      ...["if r1 == 0x0 goto pc+1", "r0 = 1", "exit", "goto pc-2"],
    ]);
  });

  it.each([
    ["frob %r1", 'line 1: there is no instruction "frob"'],
    ["exit\nmov %r11, 1", 'line 2: "%r11" is not a register'],
    ["mov %r1", "line 1: mov has 1 operands, wanted more"],
    ["exit 1", "line 1"],
    ["mov %r1, 1, 2", "line 1: mov has 3 operands, wanted 2"],
    ["ldxw %r1, %r2", "is not memory"],
    ["ja nowhere", 'there is no label "nowhere"'],
    ["a: exit\na: exit", 'label "a" is there twice'],
    ["exit\nend:", 'label "end" stands before no instruction'],
    ["mov %r1, 0x100000000", "does not fit"],
    ["lddw %r1, 0x10000000000000000", "does not fit"],
    ["ldxw %r1, [%r2+40000]", "offset 40000 does not fit"],
    ["ldxsdw %r1, [%r2]", "extends nothing"],
    ["call bpf_nothing", 'there is no helper "bpf_nothing"'],
    ["lock nand [%r1], %r2", "is no operation"],
    ["call somewhere 5", 'call takes "helper", "local" or "kfunc", not "somewhere"'],
    ["call local a b", "means nothing"],
  ])("refuses %j", (source, message) => {
    expect(() => assemble(source)).toThrow(InvalidValueError);
    expect(() => assemble(source)).toThrow(message);
  });

  it("refuses a jump that is too far, and takes ja32 for it", () => {
    const far = `${"mov %r0, 0\n".repeat(40_000)}end: exit`;
    expect(() => assemble(`ja end\n${far}`)).toThrow("offset 40000 does not fit");
    expect(readBack(`ja32 end\n${far}`)[0]).toBe("gotol pc+40000");
  });
});

const objects = ["isa", "maps", "variables", "subprograms", "core", "kernel-core"].map((name) => {
  const bytes = readFileSync(new URL(`../../test-objects/${name}.bpf.o`, import.meta.url));
  return [name, parseObject(new Uint8Array(bytes))] as const;
});

describe("decodeProgram", () => {
  it.each(objects)("and encodeProgram give the programs of %s.bpf.o again", (_, spec) => {
    for (const program of spec.programs.values()) {
      const { labels: __, ...parts } = encodeProgram(decodeProgram(program, spec.byteOrder), spec.byteOrder);
      const { instructions, mapReferences, externReferences, coreRelocations, functionInfo, lineInfo } = program;
      const known = { mapReferences, externReferences, coreRelocations, functionInfo, lineInfo };
      expect(parts).toEqual({ instructions, ...known });
    }
  });

  it("keeps jumps, maps, relocations and lines with their instructions, wherever others are put in", () => {
    const programs = objects.flatMap(([, spec]) => [...spec.programs.values()]);
    // r0 = r0: it leads nowhere.
    const nop: AssemblyInstruction = { opcode: 0xbf };
    fc.assert(
      fc.property(fc.constantFrom(...programs), fc.array(fc.nat(), { maxLength: 20 }), (program, places) => {
        const before = decodeProgram(program);
        const edited = [...before];
        for (const place of places) edited.splice(place % (edited.length + 1), 0, nop);
        const encoded = encodeProgram(edited);
        const after = decodeProgram({ ...program, ...encoded }).filter((_, i) => edited[i] !== nop);
        const meaning = (list: readonly AssemblyInstruction[]) => {
          const at = new Map(list.flatMap(({ labels = [] }, i) => labels.map((label) => [label, i] as const)));
          return list.map(({ labels, target, offset, immediate, ...rest }) => ({
            ...rest,
            ...(target === undefined ? { offset, immediate } : { target: at.get(target) }),
          }));
        };
        expect(meaning(after)).toEqual(meaning(before));
      }),
      { numRuns: 50 },
    );
  });

  it("refuses halves of instructions and jumps to where none begins", () => {
    const parts = { mapReferences: [], externReferences: [], coreRelocations: [], functionInfo: [], lineInfo: [] };
    const decode = (source: string, bytes?: number) =>
      decodeProgram({ ...parts, instructions: assemble(source).instructions.subarray(0, bytes) });
    expect(() => decode("exit", 7)).toThrow(MalformedError);
    expect(() => decode("lddw %r1, 1", 8)).toThrow("the second half of ld_imm64 is missing");
    expect(() => decode("ja +1\nlddw %r1, 1\nexit")).toThrow("where no instruction begins");
    expect(() => decode("ja -5")).toThrow(MalformedError);
  });
});

const folder = new URL("../../../../../shared/conformance/", import.meta.url);

describe("the programs of the conformance suite", () => {
  it("are assembled, to instructions that exist, and to the bytes that the suite gives", (ctx) => {
    if (!existsSync(folder)) ctx.skip("the conformance suite is not here");
    const files = readdirSync(folder).filter((name) => name.endsWith(".data"));
    expect(files.length).toBeGreaterThan(100);
    let raw = 0;
    for (const file of files) {
      const text = readFileSync(new URL(file, folder), "utf8");
      const part = (name: string): string =>
        new RegExp(`^-- ${name}\\n([\\s\\S]*?)(?=^-- )`, "m").exec(text)?.[1] ?? "";
      const encoded = assemble(part("asm"));
      expect(encoded.instructions.length, file).toBe(
        8 * parseAssembly(part("asm")).reduce((sum, { opcode }) => sum + (opcode === 0x18 ? 2 : 1), 0),
      );
      expect(disassemble({ name: file, ...encoded }), file).not.toMatch(/invalid|unknown/);
      const words = part("raw").match(/0x[0-9a-f]+/gi);
      if (words === null) continue;
      raw++;
      const view = new DataView(encoded.instructions.buffer);
      expect(words.map((_, i) => view.getBigUint64(i * 8, true))).toEqual(words.map(BigInt));
    }
    expect(raw).toBeGreaterThan(0);
  });
});
