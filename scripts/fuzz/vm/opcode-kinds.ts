// SPDX-License-Identifier: Apache-2.0

import { type AssemblyInstruction, Opcode } from "@skep/ebpf";

const ALU = 4;
const ALU64 = 7;
const JMP = 5;
const JMP32 = 6;
export const FROM_REGISTER = 8;
const MODE_ABS = 0x20;
const MODE_IND = 0x40;
const MODE_MEM = 0x60;
const MODE_MEMSX = 0x80;
const MODE_ATOMIC = 0xc0;
const LDX = 1;
const ST = 2;
const STX = 3;

/** A kind of instruction: what the histogram counts, and what a mutant can break. */
export interface OpcodeKind {
  /** `add32 reg`, `lock fetch or`, `ldxsh`. */
  readonly name: string;
  readonly opcode: number;
  /** What tells it from others of the same opcode. */
  readonly offset?: number;
  readonly immediate?: number;
  readonly source?: number;
}

/** Sizes of memory by the letters of the assembler. */
export const SIZES: readonly { readonly letter: string; readonly bits: number; readonly bytes: number }[] = [
  { letter: "b", bits: 0x10, bytes: 1 },
  { letter: "h", bits: 0x08, bytes: 2 },
  { letter: "w", bits: 0x00, bytes: 4 },
  { letter: "dw", bits: 0x18, bytes: 8 },
];

const BINARY: readonly (readonly [name: string, operation: number, offset?: number])[] = [
  ["add", 0x00],
  ["sub", 0x10],
  ["mul", 0x20],
  ["div", 0x30],
  ["sdiv", 0x30, 1],
  ["or", 0x40],
  ["and", 0x50],
  ["lsh", 0x60],
  ["rsh", 0x70],
  ["mod", 0x90],
  ["smod", 0x90, 1],
  ["xor", 0xa0],
  ["mov", 0xb0],
  ["arsh", 0xc0],
];
const CONDITIONS = ["", "jeq", "jgt", "jge", "jset", "jne", "jsgt", "jsge", "", "", "jlt", "jle", "jslt", "jsle"];
const ATOMIC: readonly (readonly [name: string, operation: number])[] = [
  ["add", 0x00],
  ["or", 0x40],
  ["and", 0x50],
  ["xor", 0xa0],
  ["fetch add", 0x01],
  ["fetch or", 0x41],
  ["fetch and", 0x51],
  ["fetch xor", 0xa1],
  ["xchg", 0xe1],
  ["cmpxchg", 0xf1],
];

/** `dst op= src` and `dst op= imm` of both widths, and what else computes. */
export const arithmeticKinds: readonly OpcodeKind[] = [
  ...BINARY.flatMap(([name, operation, offset = 0]) =>
    [ALU64, ALU].flatMap((width) => {
      const narrow = width === ALU ? "32" : "";
      return [
        { name: `${name}${narrow} imm`, opcode: operation | width, offset },
        { name: `${name}${narrow} reg`, opcode: operation | width | FROM_REGISTER, offset },
      ];
    }),
  ),
  ...[8, 16, 32].map((bits) => ({ name: `movsx${bits}64`, opcode: 0xbf, offset: bits })),
  ...[8, 16].map((bits) => ({ name: `movsx${bits}32`, opcode: 0xbc, offset: bits })),
  { name: "neg", opcode: 0x87 },
  { name: "neg32", opcode: 0x84 },
  ...[16, 32, 64].flatMap((bits) => [
    { name: `le${bits}`, opcode: 0xd4, immediate: bits },
    { name: `be${bits}`, opcode: 0xdc, immediate: bits },
    { name: `bswap${bits}`, opcode: 0xd7, immediate: bits },
  ]),
];

/** Conditional jumps. */
export const conditionKinds: readonly OpcodeKind[] = CONDITIONS.flatMap((name, i) =>
  name === ""
    ? []
    : [JMP, JMP32].flatMap((width) => {
        const operation = i << 4;
        const narrow = width === JMP32 ? "32" : "";
        return [
          { name: `${name}${narrow} imm`, opcode: operation | width },
          { name: `${name}${narrow} reg`, opcode: operation | width | FROM_REGISTER },
        ];
      }),
);

export const loadKinds: readonly OpcodeKind[] = SIZES.flatMap(({ letter, bits }) => [
  { name: `ldx${letter}`, opcode: MODE_MEM | bits | LDX },
  ...(letter === "dw" ? [] : [{ name: `ldxs${letter}`, opcode: MODE_MEMSX | bits | LDX }]),
]);

export const storeKinds: readonly OpcodeKind[] = SIZES.flatMap(({ letter, bits }) => [
  { name: `stx${letter}`, opcode: MODE_MEM | bits | STX },
  { name: `st${letter}`, opcode: MODE_MEM | bits | ST },
]);

export const atomicKinds: readonly OpcodeKind[] = ATOMIC.flatMap(([name, immediate]) => [
  { name: `lock ${name}`, opcode: MODE_ATOMIC | 0x18 | STX, immediate },
  { name: `lock ${name}32`, opcode: MODE_ATOMIC | STX, immediate },
]);

export const LOAD_ACQUIRE = 0x100;
export const STORE_RELEASE = 0x110;
export const orderedKinds: readonly OpcodeKind[] = SIZES.flatMap(({ letter, bits }) => [
  { name: `ldacq${letter}`, opcode: MODE_ATOMIC | bits | STX, immediate: LOAD_ACQUIRE },
  { name: `strel${letter}`, opcode: MODE_ATOMIC | bits | STX, immediate: STORE_RELEASE },
]);

export const packetKinds: readonly OpcodeKind[] = SIZES.slice(0, 3).flatMap(({ letter, bits }) => [
  { name: `ldabs${letter}`, opcode: MODE_ABS | bits },
  { name: `ldind${letter}`, opcode: MODE_IND | bits },
]);

const otherKinds: readonly OpcodeKind[] = [
  { name: "lddw", opcode: Opcode.LD_IMM64, source: 0 },
  { name: "lddw map", opcode: Opcode.LD_IMM64, source: 1 },
  { name: "lddw value", opcode: Opcode.LD_IMM64, source: 2 },
  { name: "lddw function", opcode: Opcode.LD_IMM64, source: 4 },
  { name: "ja", opcode: JMP },
  { name: "ja32", opcode: JMP32 },
  { name: "call helper", opcode: Opcode.CALL, source: 0 },
  { name: "call local", opcode: Opcode.CALL, source: 1 },
  { name: "exit", opcode: Opcode.EXIT },
];

/** Every kind that programs are made of. */
export const opcodeKinds: readonly OpcodeKind[] = [
  ...arithmeticKinds,
  ...conditionKinds,
  ...loadKinds,
  ...storeKinds,
  ...atomicKinds,
  ...orderedKinds,
  ...packetKinds,
  ...otherKinds,
];

const byOpcode = Map.groupBy(opcodeKinds, ({ opcode }) => opcode);

/** The kind of an instruction. */
export function kindOf(instruction: AssemblyInstruction): OpcodeKind {
  const { opcode, offset = 0, immediate = 0 } = instruction;
  const source = sourceOf(instruction);
  const fits = (byOpcode.get(opcode) ?? []).find(
    (kind) =>
      (kind.offset === undefined || kind.offset === offset) &&
      (kind.immediate === undefined || kind.immediate === Number(immediate)) &&
      (kind.source === undefined || kind.source === source),
  );
  if (fits === undefined) throw new Error(`opcode 0x${opcode.toString(16)} is of no kind`);
  return fits;
}

/** The meaning in the place of a source register, which the assembler fills in. */
function sourceOf({ opcode, source = 0, target, map }: AssemblyInstruction): number {
  if (opcode === Opcode.LD_IMM64) {
    if (map !== undefined) return map.valueOffset === undefined ? 1 : 2;
    return target === undefined ? source : 4;
  }
  return opcode === Opcode.CALL && target !== undefined ? 1 : source;
}
