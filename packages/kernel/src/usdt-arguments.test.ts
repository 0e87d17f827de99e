// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { parseUsdtArguments, type UsdtArgument, type UsdtContext } from "./usdt-arguments.ts";

const symbols = new Map([
  ["counter", 0x4010],
  ["table.3", 0x5000],
]);
const context = (arch: UsdtContext["arch"]): UsdtContext => ({
  arch,
  address: 0x1000,
  symbol: (name) => symbols.get(name),
  object: "usdt app:probe",
});
const memory = (register: number, offset: number | bigint, index?: number, shift?: number) => ({
  kind: "memory" as const,
  register,
  offset: BigInt(offset),
  ...(index !== undefined && { index, shift }),
});
const register = (offset: number) => ({ kind: "register" as const, register: offset });
const constant = (value: number | bigint) => ({ kind: "constant" as const, value: BigInt(value) });
const i = (size: number, value: object) => ({ size, signed: true, ...value });
const u = (size: number, value: object) => ({ size, signed: false, ...value });

const x64: readonly (readonly [string, readonly object[]])[] = [
  ["", []],
  ["-4@%eax", [i(4, register(80))]],
  ["8@%rax 8@%rbx 8@%rcx 8@%rdx", [80, 40, 88, 96].map((at) => u(8, register(at)))],
  ["8@%rsi 8@%rdi 8@%rbp 8@%rsp", [104, 112, 32, 152].map((at) => u(8, register(at)))],
  ["4@%r8d 2@%r9w 1@%r10b 8@%r15", [u(4, register(72)), u(2, register(64)), u(1, register(56)), u(8, register(0))]],
  [
    "1@%al 1@%ah 2@%ax 1@%sil 2@%di",
    [u(1, register(80)), u(1, register(81)), u(2, register(80)), u(1, register(104)), u(2, register(112))],
  ],
  [
    "1@$5 -4@$-9 8@$0x7fffffffffffffff",
    [u(1, constant(5)), i(4, constant(-9)), u(8, constant(0x7fff_ffff_ffff_ffffn))],
  ],
  ["8@-16(%rbp) 8@(%rdx) 4@0x20(%rsp)", [u(8, memory(32, -16)), u(8, memory(96, 0)), u(4, memory(152, 32))]],
  ["8@(%rax,%rdi,8)", [u(8, memory(80, 0, 112, 3))]],
  ["1@-96(%rbp,%rax) 2@4(%r8,%r9,2)", [u(1, memory(32, -96, 80, 0)), u(2, memory(72, 4, 64, 1))]],
  ["-4@counter(%rip)", [i(4, memory(128, 0x3010))]],
  ["-4@counter+8(%rip) 4@-4+counter(%rip)", [i(4, memory(128, 0x3018)), u(4, memory(128, 0x300c))]],
  ["8@table.3(%rip) 8@counter", [u(8, memory(128, 0x4000)), u(8, memory(128, 0x3010))]],
  ["8@16(%rip)", [u(8, memory(128, 16))]],
  ["  -4@%edi   8@%rsi ", [i(4, register(112)), u(8, register(104))]],
];

const arm64: readonly (readonly [string, readonly object[]])[] = [
  ["8@x0 -4@[sp, 12] 4@7", [u(8, register(0)), i(4, memory(248, 12)), u(4, constant(7))]],
  ["-4@w19 8@x30 8@sp 8@fp", [i(4, register(152)), u(8, register(240)), u(8, register(248)), u(8, register(232))]],
  ["8@[x19] 8@[x29, -16] 4@[sp, #8]", [u(8, memory(152, 0)), u(8, memory(232, -16)), u(4, memory(248, 8))]],
  ["8@[x1, x2] 8@[x1, x2, lsl 3]", [u(8, memory(8, 0, 16, 0)), u(8, memory(8, 0, 16, 3))]],
  ["-8@-1 4@#3 8@xzr", [i(8, constant(-1)), u(4, constant(3)), u(8, constant(0))]],
];

describe("the arguments of a USDT probe", () => {
  it.each(x64)("are read as the x86-64 compiler writes them: %j", (text, wanted) => {
    expect(parseUsdtArguments(text, context("x64"))).toEqual(wanted as UsdtArgument[]);
  });

  it.each(arm64)("are read as the arm64 compiler writes them: %j", (text, wanted) => {
    expect(parseUsdtArguments(text, context("arm64"))).toEqual(wanted as UsdtArgument[]);
  });

  it.each([
    ["x64", "8@%rax 8f@%xmm0", 'usdt app:probe: argument 1 is "8f@%xmm0", a floating-point number'],
    ["x64", "8@%xmm0", "no general register"],
    ["x64", "8@%fs:16", "no general register"],
    ["x64", "8@nowhere(%rip)", "no memory at one"],
    ["x64", "8@-counter(%rip)", "no memory at one"],
    ["x64", "8@(,%rdi,8)", "no memory at one"],
    ["x64", "8@(%rax,%rdi,3)", "no memory at one"],
    ["x64", "8@$counter", "is no constant"],
    ["x64", "3@%rax", "its size is 3, wanted 1, 2, 4 or 8"],
    ["x64", "%rax", "which is no SIZE@OPERAND"],
    ["x64", "8@%rax,4@%ebx", "no general register"],
    ["x64", "8@constructor", "no memory at one"],
    ["arm64", "8@[x0, w1, sxtw 2]", "no memory at one"],
    ["arm64", "8@x31", "no general register"],
    ["arm64", "8@d0", "no general register"],
  ] as const)("are refused on %s when a program could not read them: %s", (arch, text, words) => {
    expect(() => parseUsdtArguments(text, context(arch))).toThrow(words);
  });
});
