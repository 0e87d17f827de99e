// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TestBtf } from "../columns/btf/btf.test-kit.ts";
import { applyCoreRelocations } from "../core/apply-core-relocations.ts";
import { VerifierError } from "../errors.ts";
import { parseObject } from "../parse-object.ts";
import { diagnoseVerifierLog } from "./diagnose.ts";
import { explainVerifierError } from "./explain-verifier-error.ts";

const lines = (...text: string[]): string => `${text.join("\n")}\n`;

/** As Linux 5.10 writes it: the registers after branches alone, lines of C without their place. */
const old = lines(
  "; int count(struct __sk_buff *skb)",
  "0: (b7) r6 = 0",
  "; __u32 key = 0;",
  "1: (63) *(u32 *)(r10 -4) = r6",
  "last_idx 1 first_idx 0",
  "regs=40 stack=0 before 0: (b7) r6 = 0",
  "2: (bf) r2 = r10",
  "3: (07) r2 += -4",
  "; value = bpf_map_lookup_elem(&flows, &key);",
  "4: (18) r1 = 0xffff9f1a81b2c000",
  "6: (85) call bpf_map_lookup_elem#1",
  "7: (61) r1 = *(u32 *)(r7 +0)",
  "8: (15) if r1 == 0x0 goto pc+3",
  " R0_w=map_value_or_null(id=1,off=0,ks=4,vs=8,imm=0) R1_w=inv(id=0,umax_value=4294967295,var_off=(0x0; 0xffffffff)) R6=invP0 R7=ctx(id=0,off=0,imm=0) R10=fp0 fp-8=mmmm????",
  "; *value += 1;",
  "9: (79) r1 = *(u64 *)(r0 +0)",
  "R0 invalid mem access 'map_value_or_null'",
  "processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 mark_read 1",
);

const recent = lines(
  "0: R1=ctx() R10=fp0",
  "; __u8 *data = (void *)(long)ctx->data; @ pass.bpf.c:12",
  "0: (61) r2 = *(u32 *)(r1 +0)          ; R1=ctx() R2_w=pkt(r=0)",
  "1: (b7) r3 = 1                        ; R3_w=1",
  "; return data[14]; @ pass.bpf.c:14",
  "2: (71) r0 = *(u8 *)(r2 +14)",
  "invalid access to packet, off=14 size=1, R2(id=0,off=14,r=0)",
  "R2 offset is outside of the packet",
  "processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0",
);

const report = lines(
  "0: R1=ctx() R10=fp0",
  "0: (b7) r6 = 1                        ; R6=1",
  "1: (79) r0 = *(u64 *)(r6 +0)",
  "R6 invalid mem access 'scalar'",
  "",
  "Verification failed: Memory Safety: Invalid dereference",
  "",
  "Reason:",
  "  R6 is a plain number here,",
  "  not a pointer.",
  "",
  "At:",
  "  insn 1",
  "  Instruction context:",
  "  0 | (b7) r6 = 1",
  "  >>> 1 | (79) r0 = *(u64 *)(r6 +0)",
  "",
  "Causal path:",
  "  insn 0: R6 became the number 1",
  "",
  "Suggestion:",
  "  Load a pointer into R6.",
  "",
  "processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0",
);

describe("a log of Linux 5.x", () => {
  it("tells instruction, line and the registers that matter", () => {
    const finding = diagnoseVerifierLog(old);
    expect(finding).toMatchObject({
      reason: "9: (79) r1 = *(u64 *)(r0 +0): R0 invalid mem access 'map_value_or_null'",
      messages: ["R0 invalid mem access 'map_value_or_null'"],
      instruction: { index: 9, text: "r1 = *(u64 *)(r0 +0)" },
      source: { text: "*value += 1;", file: undefined, line: undefined },
      registers: [{ name: "r0", words: "pointer to a value of a map (8 bytes), or null" }],
      hint: "Compare it with NULL, and use it only where it is not.",
      path: [],
    });
  });

  it("tells no register whose value it has lost", () => {
    const log = lines(
      "0: R1=ctx(id=0,off=0,imm=0) R2=inv7 R10=fp0",
      "0: (85) call bpf_get_prandom_u32#7",
      "1: (79) r3 = *(u64 *)(r0 +0)",
      "R0 invalid mem access 'inv'",
    );
    expect(diagnoseVerifierLog(log).registers).toEqual([]);
  });
});

describe("a log of Linux 6.x", () => {
  it("tells the place of the line, and the registers as they were before", () => {
    const finding = diagnoseVerifierLog(recent);
    expect(finding.source).toEqual({ file: "pass.bpf.c", line: 14, column: undefined, text: "return data[14];" });
    expect(finding.instruction).toEqual({ index: 2, text: "r0 = *(u8 *)(r2 +14)" });
    expect(finding.registers).toEqual([
      { name: "r2", state: "pkt(r=0)", words: "pointer to the packet, 0 bytes of it checked" },
    ]);
    expect(finding.hint).toContain("data_end");
  });

  it("shows the arguments of a call when the message names none", () => {
    const log = lines(
      "0: R1=ctx(off=0,imm=0) R10=fp0",
      "0: (61) r4 = *(u32 *)(r1 +0)          ; R1=ctx(off=0,imm=0) R4_w=scalar(umax=4294967295,var_off=(0x0; 0xffffffff))",
      "1: (85) call bpf_skb_load_bytes#26",
      "invalid zero-sized read",
    );
    const finding = diagnoseVerifierLog(log);
    expect(finding.registers.map(({ name, words }) => `${name} = ${words}`)).toEqual([
      "r1 = pointer to the program's context",
      "r4 = number 0..4294967295",
    ]);
    expect(finding.explanation).toBe("The size may be 0, which this function does not take.");
  });

  it("keeps the frames of functions apart", () => {
    const log = lines(
      "0: R1=ctx() R10=fp0",
      "0: (b7) r6 = 3                        ; R6_w=3",
      "1: (85) call pc+2",
      "caller:",
      " R6_w=3 R10=fp0",
      "callee:",
      " frame1: R1_w=ctx() R10=fp0",
      "4: (79) r0 = *(u64 *)(r6 +0)",
      "R6 !read_ok",
    );
    expect(diagnoseVerifierLog(log)).toMatchObject({ messages: ["R6 !read_ok"], registers: [] });
  });

  it("takes the instruction that a message names", () => {
    const loop = lines(
      "0: (b7) r0 = 0                        ; R0_w=0",
      "1: (05) goto pc-1",
      "infinite loop detected at insn 0",
      "cur state: R0=0 R1=ctx() R10=fp0",
      "old state: R0=0 R1=ctx() R10=fp0",
    );
    const finding = diagnoseVerifierLog(loop);
    expect(finding.reason).toBe("infinite loop detected at insn 0");
    expect(finding.instruction).toEqual({ index: 0, text: "r0 = 0" });
    expect(finding.hint).toContain("bpf_for");
    const edge = diagnoseVerifierLog("back-edge from insn 7 to 3\n");
    expect(edge.explanation).toContain("from instruction 7 (slot 7) to 3 (slot 3)");
  });
});

describe("a log of very many instructions", () => {
  it("is read at its end", () => {
    const log = `${"0: (07) r0 += 1                       ; R0_w=scalar()\n1: (05) goto pc-2\n".repeat(100_000)}BPF program is too large. Processed 1000001 insn\n`;
    const finding = diagnoseVerifierLog(log);
    expect(finding.instruction).toEqual({ index: 1, text: "goto pc-2" });
    expect(finding.explanation).toContain("1000001");
  });
});

describe("a report of Linux 7.3", () => {
  it("is understood with all of its sections", () => {
    const finding = diagnoseVerifierLog(report);
    expect(finding).toMatchObject({
      reason: "Memory Safety: Invalid dereference: R6 is a plain number here, not a pointer.: at insn 1",
      instruction: { index: 1, text: "r0 = *(u64 *)(r6 +0)" },
      registers: [{ name: "r6", words: "number 1" }],
      path: ["insn 0: R6 became the number 1"],
    });
    expect(finding.explanation).toContain("r6 holds a number");
  });

  it("is quoted where the message is not known", () => {
    const finding = diagnoseVerifierLog(report.replace("R6 invalid mem access 'scalar'", "R6 is of no use"));
    expect(finding.explanation).toBe("R6 is a plain number here, not a pointer.");
    expect(finding.hint).toBe("Load a pointer into R6.");
  });
});

describe("what a message means", () => {
  it.each([
    ["R1 type=map_value_or_null expected=fp, pkt", "r1 may be NULL here"],
    ["R1 pointer arithmetic on map_value_or_null prohibited, null-check it first", "r1 may be NULL here"],
    ["R2 min value is negative, either use unsigned or 'var &= const'", "r2 may be negative"],
    ["R2 unbounded memory access, use 'var &= const' or 'if (var < const)'", "Nothing keeps what r2"],
    ["R0 max value is outside of the array range", "The offset in r0"],
    ["BPF program is too large. Processed 1000001 insn", "gave up after 1000001 instructions"],
    ["The sequence of 8193 jumps is too complex.", "More than 8193 branches"],
    ["unknown func bpf_loop#181", "no helper bpf_loop"],
    ["unknown func bpf_loop#181", "bpf_loop came with Linux 5.17"],
    ["invalid func unknown#209", "bpf_user_ringbuf_drain came with Linux 6.1"],
    ["invalid func unknown#195896080", "CO-RE relocation"],
    ["cannot call GPL only function from proprietary program", "GPL-compatible license only"],
    ["Unreleased reference id=2 alloc_insn=5", "acquired by instruction 5"],
    ["bpf_spin_unlock is missing", "The lock is held"],
    ["invalid stack type R1 off=-600 access_size=8", undefined],
    ["invalid write to stack R10 off=-520 size=8", "520 bytes below the top of the stack, which has 512"],
    ["invalid read from stack R10 off=8 size=8", "is of 8 bytes and goes 16 bytes beyond the top of the stack"],
    ["invalid indirect access to stack R2 off=-8 size=16", "is of 16 bytes and goes 8 bytes beyond the top"],
    ["invalid indirect access to stack R2 off=-16 size=8", "outside of the stack, or reads bytes"],
    ["invalid indirect read from stack R3 off -8+0 size 8", "never written"],
    [
      "math between map_value pointer and register with unbounded min value is not allowed",
      "added to a pointer (map_value) may be negative without a bound",
    ],
    ["math between pkt pointer and 4294967295 is not allowed", "4294967295 is too much to add to a pointer (pkt)"],
    ["value -2147483648 makes map_value pointer be out of bounds", "-2147483648 is too much to add"],
    [
      "R1 must have zero offset when passed to release func or trusted arg to kfunc",
      "r1 must be the pointer as it was",
    ],
    [
      "write into map forbidden, value_size=16 off=0 size=16\nCaller passes invalid args into func#2 ('mine')",
      "The map is read only for programs",
    ],
    ["R0 leaks addr as return value", "an address of the kernel"],
    ["misaligned packet access off 0+14+2 size 4", "no multiple of the size"],
    ["helper call might sleep in a non-sleepable prog", "may sleep"],
    ["sleepable helper bpf_copy_from_user#148 in rcu_read_lock region", "may sleep"],
    ["kernel func bpf_dynptr_from_file is sleepable within rcu_read_lock region", "may sleep"],
    ["dereference of modified ctx ptr R1 off=8 disallowed", "must be used as it was given"],
    [
      "At program exit the register R0 has unknown scalar value should have been in (0x0; 0x1)",
      "must return a value in [0, 1]",
    ],
    [
      "access beyond struct task_struct at off 99992 size 4",
      "This kernel's struct task_struct does not have the bytes 99992 to 99995",
    ],
    ["attach_btf_id 12 is not a function", "not in the kernel's types"],
    ["unknown opcode 8d", "call through a pointer"],
    ["something that no table has", undefined],
  ])("%s", (message, part) => {
    const { explanation, hint } = diagnoseVerifierLog(lines("0: (95) exit", message));
    if (part === undefined) expect([explanation, hint]).toEqual([undefined, undefined]);
    else expect(`${explanation} ${hint}`).toContain(part);
  });
});

describe("a poisoned CO-RE relocation", () => {
  const core = parseObject(readFileSync(new URL("../../test-objects/core.bpf.o", import.meta.url)));
  const spec = core.programs.get("fields")!;
  const local = core.btf!;

  /** What is said when the relocation at `index` is reached in a kernel with such types. */
  function said(kernelTypes: TestBtf, index: number): string {
    const instructions = applyCoreRelocations(spec, local, kernelTypes);
    const slot = spec.coreRelocations[index]!.instruction;
    const log = lines(`${slot}: (85) call unknown#195896080`, "invalid func unknown#195896080");
    return diagnoseVerifierLog(log, { spec, instructions, btf: local, kernelTypes }).reason;
  }

  it("is named with the type or the field that is missing", () => {
    const empty = new TestBtf();
    expect(said(empty, 0)).toBe(
      "the program needs the byte offset of widget.id, and the types of this kernel, its modules aside, have no widget",
    );
    const partly = new TestBtf();
    const number = partly.int("unsigned int", 4);
    const point = partly.struct("point", [{ name: "x", type: number }]);
    partly.struct("widget", [{ name: "corners", type: partly.array(point, 4) }]);
    expect(said(partly, 0)).toContain("and this kernel has no widget.id, or one of another kind");
    expect(said(partly, 2)).toBe(
      "the program needs the byte offset of widget.corners[2].y, and this kernel has no widget.corners[2].y, or one of another kind",
    );
  });
});

describe("explainVerifierError", () => {
  it("prints a block to read", () => {
    const error = new VerifierError("pass", diagnoseVerifierLog(recent), recent);
    expect(error.message).toBe(
      'program "pass" was refused: invalid access to packet, off=14 size=1, R2(id=0,off=14,r=0): R2 offset is outside of the packet (pass.bpf.c:14)',
    );
    expect(explainVerifierError(error).split("\n")).toEqual([
      'program "pass" was refused by the verifier',
      "  invalid access to packet, off=14 size=1, R2(id=0,off=14,r=0)",
      "  R2 offset is outside of the packet",
      "   --> pass.bpf.c:14",
      "   |",
      "14 | return data[14];",
      "   |",
      "  at 2: r0 = *(u8 *)(r2 +14)",
      "     r2 = pointer to the packet, 0 bytes of it checked",
      "  why: It is not known that the packet has the byte 14 behind the pointer.",
      expect.stringMatching(/^ {2}help: Before the access: /),
    ]);
  });

  it("says what the log says when nothing else is known", () => {
    const error = new VerifierError("p", diagnoseVerifierLog("what is this\n"), "what is this\n");
    expect(explainVerifierError(error)).toBe('program "p" was refused by the verifier\n  what is this');
  });

  it("takes any log", () => {
    const parts = [old, recent, report].flatMap((log) => log.split("\n"));
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...parts), fc.string())), (some) => {
        const log = some.join("\n");
        const text = explainVerifierError(new VerifierError("p", diagnoseVerifierLog(log), log));
        expect(text).not.toContain("undefined");
      }),
    );
  });
});
