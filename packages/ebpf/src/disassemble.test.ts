// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { disassemble } from "./disassemble.ts";
import { parseObject } from "./parse-object.ts";

/** One instruction: opcode, destination, source, offset, immediate. */
type Parts = readonly [opcode: number, dst: number, src: number, off: number, imm: number];

function encode(...parts: Parts[]): Uint8Array {
  const bytes = new Uint8Array(parts.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, [opcode, dst, src, off, imm]] of parts.entries()) {
    view.setUint8(i * 8, opcode);
    view.setUint8(i * 8 + 1, (src << 4) | dst);
    view.setInt16(i * 8 + 2, off, true);
    view.setInt32(i * 8 + 4, imm, true);
  }
  return bytes;
}

function bare(instructions: Uint8Array) {
  return { name: "main", instructions, mapReferences: [], functionInfo: [], lineInfo: [] };
}

function first(...parts: Parts[]): string {
  return disassemble(bare(encode(...parts)))
    .split("\n")[1]!
    .replace(/^ *\d+: \(..\) /, "");
}

describe("disassemble", () => {
  it.each<[string, Parts[]]>([
    ["r1 += r2", [[0x0f, 1, 2, 0, 0]]],
    ["w1 -= 5", [[0x14, 1, 0, 0, 5]]],
    ["r3 = -r3", [[0x87, 3, 0, 0, 0]]],
    ["r1 s>>= 32", [[0xc7, 1, 0, 0, 32]]],
    ["w2 /= w3", [[0x3c, 2, 3, 0, 0]]],
    ["r2 s/= r3", [[0x3f, 2, 3, 1, 0]]],
    ["r2 s%= -7", [[0x97, 2, 0, 1, -7]]],
    ["r1 = r2", [[0xbf, 1, 2, 0, 0]]],
    ["r1 = (s16)r2", [[0xbf, 1, 2, 16, 0]]],
    ["w1 = (s8)w2", [[0xbc, 1, 2, 8, 0]]],
    ["r1 = addr_space_cast(r2, 0, 1)", [[0xbf, 1, 2, 1, 1]]],
    ["r1 = &(void __percpu *)(r2)", [[0xbf, 1, 2, -1, 0]]],
    ["r1 = be16 r1", [[0xdc, 1, 0, 0, 16]]],
    ["r1 = le64 r1", [[0xd4, 1, 0, 0, 64]]],
    ["r1 = bswap32 r1", [[0xd7, 1, 0, 0, 32]]],
    ["r1 = *(u64 *)(r6 +8)", [[0x79, 1, 6, 8, 0]]],
    ["r1 = *(s8 *)(r6 -3)", [[0x91, 1, 6, -3, 0]]],
    ["*(u32 *)(r10 -4) = 7", [[0x62, 10, 0, -4, 7]]],
    ["*(u16 *)(r1 +2) = r3", [[0x6b, 1, 3, 2, 0]]],
    ["lock *(u64 *)(r1 +8) += r2", [[0xdb, 1, 2, 8, 0]]],
    ["r2 = atomic64_fetch_xor((u64 *)(r1 +0), r2)", [[0xdb, 1, 2, 0, 0xa1]]],
    ["r2 = atomic_xchg((u32 *)(r1 +0), r2)", [[0xc3, 1, 2, 0, 0xe1]]],
    ["r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)", [[0xdb, 1, 2, 0, 0xf1]]],
    ["r1 = load_acquire((u64 *)(r2 +16))", [[0xdb, 1, 2, 16, 0x100]]],
    ["store_release((u32 *)(r1 +4), r2)", [[0xc3, 1, 2, 4, 0x110]]],
    ["r0 = *(u16 *)skb[12]", [[0x28, 0, 0, 0, 12]]],
    ["r0 = *(u8 *)skb[r3 + 14]", [[0x50, 0, 3, 0, 14]]],
    [
      "r1 = 0xfffffffe00000001",
      [
        [0x18, 1, 0, 0, 1],
        [0, 0, 0, 0, -2],
      ],
    ],
    ["goto pc+3", [[0x05, 0, 0, 3, 0]]],
    ["gotol pc-70000", [[0x06, 0, 0, 0, -70000]]],
    ["may_goto pc+2", [[0xe5, 0, 0, 2, 0]]],
    ["if r1 == 0x5 goto pc+2", [[0x15, 1, 0, 2, 5]]],
    ["if w1 s< 0xffffffff goto pc-2", [[0xc6, 1, 0, -2, -1]]],
    ["if r1 & r2 goto pc+1", [[0x4d, 1, 2, 1, 0]]],
    ["call bpf_map_lookup_elem#1", [[0x85, 0, 0, 0, 1]]],
    ["call unknown#195896080", [[0x85, 0, 0, 0, 0xbad2310]]],
    ["call kernel-function#42", [[0x85, 0, 2, 0, 42]]],
    ["call pc+5", [[0x85, 0, 1, 0, 5]]],
    ["exit", [[0x95, 0, 0, 0, 0]]],
    ["invalid (opcode 0xff)", [[0xff, 0, 0, 0, 0]]],
  ])("prints %s", (text, parts) => {
    expect(first(...parts)).toBe(text);
  });

  it("labels functions, and prints the C line before what was made from it once", () => {
    const { programs, btf } = parseObject(
      new Uint8Array(readFileSync(new URL("../test-objects/subprograms.bpf.o", import.meta.url))),
    );
    const text = disassemble(programs.get("second")!, { btf });
    expect(
      text.startsWith(
        "second:\n     ; bpf_loop(4, visit, 0, 0); @ subprograms.bpf.c:47\n   0: (b4) w1 = 4\n   1: (18) r2 = visit\n",
      ),
    ).toBe(true);
    expect(text).toContain("call scale\n");
    expect(text.match(/^\w+:$/gm)).toEqual(["second:", "visit:", "scale:", "concealed:"]);
    expect(text).toContain("= map[.bss][0]+");
  });

  it("labels functions by number when the object has no types", () => {
    const text = disassemble(bare(encode([0x85, 0, 1, 0, 1], [0x95, 0, 0, 0, 0], [0x95, 0, 0, 0, 0])));
    expect(text).toBe("main:\n   0: (85) call subprog_2\n   1: (95) exit\nsubprog_2:\n   2: (95) exit\n");
  });

  it("takes the registers of big-endian instructions from the other halves of their byte", () => {
    const spec = bare(Uint8Array.of(0xbf, 0x12, 0, 0, 0, 0, 0, 0));
    expect(disassemble(spec, { byteOrder: "big" })).toContain("r1 = r2");
    expect(disassemble(spec)).toContain("r2 = r1");
  });

  it("keeps what an object calls things on its line", () => {
    const program = { ...bare(encode([0x95, 0, 0, 0, 0])), name: "main\n   9: (95) exit" };
    expect(disassemble(program).trimEnd().split("\n")).toEqual(["main\ufffd   9: (95) exit:", "   0: (95) exit"]);
  });

  it("takes any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom("little", "big"), (bytes, byteOrder) => {
        const lines = disassemble(bare(bytes), { byteOrder })
          .split("\n")
          .filter((line) => /^ *\d+:/.test(line));
        expect(lines.length).toBeLessThanOrEqual(bytes.length >> 3);
        expect(lines.join()).not.toMatch(/undefined|NaN/);
      }),
    );
  });
});
