// SPDX-License-Identifier: Apache-2.0

import type { AssemblyInstruction } from "@skep/ebpf";
import type { Emit, Emitters } from "../../../packages/vm/src/code/emitters.ts";
import { standardEmitters } from "../../../packages/vm/src/code/emitters.ts";
import { Op } from "../../../packages/vm/src/wasm/op.ts";
import {
  arithmeticKinds,
  atomicKinds,
  conditionKinds,
  loadKinds,
  type OpcodeKind,
  opcodeKinds,
  orderedKinds,
  packetKinds,
  storeKinds,
} from "./opcode-kinds.ts";
import { isKind } from "./vm-side.ts";

/** A translation that is wrong in one way, of one kind of instruction. */
export interface Mutant {
  readonly kind: OpcodeKind;
  /** What is wrong: `as sub`, `no zero extension`. */
  readonly fault: string;
  /** Puts it into a table of emitters. */
  readonly install?: (table: Emitters) => void;
  /** For what the engine has no code of its own: another program in its place. */
  readonly rewrite?: (code: readonly AssemblyInstruction[]) => AssemblyInstruction[];
}

type Change = (standard: Emit, table: Emitters) => Emit;
type Fault = readonly [fault: string, change: Change];

/** Mistakes that a translator could make, several for each kind of instruction. */
export function makeMutants(): Mutant[] {
  return opcodeKinds.flatMap((kind): Mutant[] => {
    const rewritten = rewrites.get(kind.name);
    if (rewritten !== undefined) return [{ kind, ...rewritten }];
    return faultsOf(kind).map(([fault, change]) => ({ kind, fault, install: (table) => install(table, kind, change) }));
  });
}

/** Changes the program's own instructions of a kind; the engine's functions in C stay as they are. */
function install(table: Emitters, kind: OpcodeKind, change: Change): void {
  const standard = table[kind.opcode];
  if (standard === undefined) throw new Error(`${kind.name} has no translation`);
  const wrong = change(standard, standardEmitters());
  table[kind.opcode] = (writer, slot) => {
    const emit = writer.runtime === undefined && isKind(kind, writer.code, slot) ? wrong : standard;
    emit(writer, slot);
  };
}

function faultsOf(kind: OpcodeKind): Fault[] {
  if (arithmeticKinds.includes(kind)) return arithmeticFaults(kind);
  if (conditionKinds.includes(kind)) return conditionFaults(kind);
  if (loadKinds.includes(kind) || storeKinds.includes(kind)) return accessFaults(kind);
  if (atomicKinds.includes(kind)) return atomicFaults(kind);
  if (orderedKinds.includes(kind)) return [nothing, ...others(kind, orderedKinds)];
  if (packetKinds.includes(kind)) return [nothing, immediatePlusOne, ...others(kind, packetKinds)];
  if (kind.name.startsWith("call")) return [nothing, plusOne, halved];
  if (kind.name === "lddw") return [nothing, immediatePlusOne, halved];
  return [nothing, plusOne];
}

const nothing: Fault = ["nothing at all", () => () => undefined];
const swapped: Fault = [
  "operands swapped",
  (standard) => (writer, slot) => {
    const { destinations, sources } = writer.code;
    const [destination, source] = [destinations[slot] ?? 0, sources[slot] ?? 0];
    [destinations[slot], sources[slot]] = [source, destination];
    standard(writer, slot);
    [destinations[slot], sources[slot]] = [destination, source];
  },
];
const immediatePlusOne: Fault = [
  "immediate + 1",
  (standard) => (writer, slot) => {
    const { immediates } = writer.code;
    const immediate = immediates[slot] ?? 0;
    immediates[slot] = immediate + 1;
    standard(writer, slot);
    immediates[slot] = immediate;
  },
];
const plusOne = after("result + 1", (writer, register) => {
  writer.get(register).i64(1).op(Op.I64_ADD).set(register);
});
const halved = after("result cut to 32 bits", (writer, register) => {
  writer.get(register).i64(0xffff_ffff).op(Op.I64_AND).set(register);
});
const signed = after("no zero extension", (writer, register) => {
  writer.get(register).op(Op.I32_WRAP_I64).op(Op.I64_EXTEND_I32_S).set(register);
});

/** Does something to the register that an instruction has written. */
function after(fault: string, change: (writer: Parameters<Emit>[0], register: number) => void): Fault {
  return [
    fault,
    (standard) => (writer, slot) => {
      standard(writer, slot);
      const call = writer.code.opcodes[slot] === 0x85;
      const packet = (writer.code.opcodes[slot] ?? 0) < 0x60 && ((writer.code.opcodes[slot] ?? 0) & 7) === 0;
      const r0 = call || (packet && writer.code.opcodes[slot] !== 0x18);
      change(writer, r0 ? 0 : (writer.code.destinations[slot] ?? 0));
    },
  ];
}

function offsetBy(distance: number): Fault {
  return [
    `offset + ${distance}`,
    (standard) => (writer, slot) => {
      const { offsets } = writer.code;
      const offset = offsets[slot] ?? 0;
      offsets[slot] = offset + distance;
      standard(writer, slot);
      offsets[slot] = offset;
    },
  ];
}

/** Translates it as if it were of another kind. */
function as(other: OpcodeKind): Fault {
  return [
    `as ${other.name}`,
    (_, table) => (writer, slot) => {
      const { opcodes, offsets, immediates } = writer.code;
      const before = [opcodes[slot] ?? 0, offsets[slot] ?? 0, immediates[slot] ?? 0] as const;
      opcodes[slot] = other.opcode;
      if (other.offset !== undefined) offsets[slot] = other.offset;
      if (other.immediate !== undefined) immediates[slot] = other.immediate;
      table[other.opcode]?.(writer, slot);
      [opcodes[slot], offsets[slot], immediates[slot]] = before;
    },
  ];
}

function named(name: string): OpcodeKind[] {
  return opcodeKinds.filter((kind) => kind.name === name);
}

/** Each of some kinds that differs from one in one respect: the next and the one before it. */
function others(kind: OpcodeKind, kinds: readonly OpcodeKind[]): Fault[] {
  const like = kinds.filter((each) => each.name.slice(0, 3) === kind.name.slice(0, 3));
  const at = like.indexOf(kind);
  return [like[at - 1], like[at + 1]].flatMap((each) => (each === undefined ? [] : [as(each)]));
}

const ARITHMETIC_MISTAKES: Readonly<Record<string, readonly string[]>> = {
  add: ["sub", "or"],
  sub: ["add"],
  mul: ["add"],
  div: ["sdiv", "mod"],
  sdiv: ["div", "smod"],
  or: ["xor", "add"],
  and: ["or"],
  lsh: ["rsh"],
  rsh: ["arsh", "lsh"],
  mod: ["smod", "div"],
  smod: ["mod", "sdiv"],
  xor: ["or"],
  mov: ["add"],
  arsh: ["rsh"],
};

function arithmeticFaults(kind: OpcodeKind): Fault[] {
  const [mnemonic = "", form] = kind.name.split(" ");
  const narrow = mnemonic.endsWith("32") && form !== undefined;
  const plain = narrow ? mnemonic.slice(0, -2) : mnemonic;
  if (form !== undefined) {
    const wrong = ARITHMETIC_MISTAKES[plain] ?? [];
    const mistakes = wrong.flatMap((name) => named(`${name}${narrow ? "32" : ""} ${form}`));
    const otherWidth = named(`${plain}${narrow ? "" : "32"} ${form}`);
    return [
      nothing,
      ...[...mistakes, ...otherWidth].map(as),
      ...(narrow ? [signed] : [halved]),
      form === "reg" ? swapped : immediatePlusOne,
    ];
  }
  if (kind.name.startsWith("neg")) return [nothing, as(kind.name === "neg" ? pick("neg32") : pick("neg"))];
  if (kind.name.startsWith("movsx")) return [nothing, swapped, ...others(kind, arithmeticKinds)];
  // le64 does nothing, and be and bswap are the same here.
  const order = /^[a-z]+/.exec(kind.name)?.[0] ?? "";
  const bits = kind.immediate ?? 0;
  const otherOrder = order === "le" ? "be" : "le";
  return [
    ...(kind.name === "le64" ? [] : [nothing]),
    as(pick(`${otherOrder}${bits}`)),
    as(pick(`${order}${bits === 16 ? 32 : 16}`)),
  ];
}

const STRICTNESS: readonly (readonly [string, string])[] = [
  ["jgt", "jge"],
  ["jlt", "jle"],
  ["jsgt", "jsge"],
  ["jslt", "jsle"],
];
const SIGNS: readonly (readonly [string, string])[] = [
  ["jgt", "jsgt"],
  ["jge", "jsge"],
  ["jlt", "jslt"],
  ["jle", "jsle"],
];

function conditionFaults(kind: OpcodeKind): Fault[] {
  const [mnemonic = "", form = ""] = kind.name.split(" ");
  const narrow = mnemonic.endsWith("32");
  const plain = narrow ? mnemonic.slice(0, -2) : mnemonic;
  const mistakes = [...STRICTNESS, ...SIGNS].flatMap(([a, b]) => (a === plain ? [b] : b === plain ? [a] : []));
  const always = (result: number): Fault => [
    result === 1 ? "always" : "never",
    () => (writer) => {
      writer.i32(result);
    },
  ];
  const inverted: Fault = [
    "inverted",
    (standard) => (writer, slot) => {
      standard(writer, slot);
      writer.op(Op.I32_EQZ);
    },
  ];
  const commutes = ["jeq", "jne", "jset"].includes(plain);
  return [
    ...[always(0), always(1), inverted],
    ...mistakes.map((name) => as(pick(`${name}${narrow ? "32" : ""} ${form}`))),
    as(pick(`${plain}${narrow ? "" : "32"} ${form}`)),
    ...(commutes ? [] : form === "reg" ? [swapped] : []),
    ...(form === "imm" ? [immediatePlusOne] : []),
    ...(plain === "jset" ? [as(pick(`jne${narrow ? "32" : ""} ${form}`))] : []),
  ];
}

function accessFaults(kind: OpcodeKind): Fault[] {
  const [, prefix = "", letter = ""] = /^(ldxs|ldx|stx|st)(b|h|w|dw)$/.exec(kind.name) ?? [];
  const sizes = ["b", "h", "w", "dw"].filter((each) => each !== letter);
  const otherSizes = sizes.flatMap((each) => named(`${prefix}${each}`));
  const otherSign = prefix === "ldx" ? named(`ldxs${letter}`) : prefix === "ldxs" ? named(`ldx${letter}`) : [];
  return [nothing, offsetBy(1), ...[...otherSizes, ...otherSign].map(as)];
}

function atomicFaults(kind: OpcodeKind): Fault[] {
  const [, fetch = "", name = "", narrow = ""] = /^lock (fetch )?([a-z]+)(32)?$/.exec(kind.name) ?? [];
  const width = narrow === "" ? "32" : "";
  const otherWidth = named(`lock ${fetch}${name}${width}`);
  if (name === "xchg" || name === "cmpxchg") {
    const other = name === "xchg" ? "cmpxchg" : "xchg";
    return [nothing, ...[...otherWidth, ...named(`lock ${other}${narrow}`)].map(as), offsetBy(8)];
  }
  const otherFetch = named(`lock ${fetch === "" ? "fetch " : ""}${name}${narrow}`);
  const operation = { add: "or", or: "xor", and: "or", xor: "or" }[name] ?? "add";
  const otherOperation = named(`lock ${fetch}${operation}${narrow}`);
  return [nothing, ...[...otherWidth, ...otherFetch, ...otherOperation].map(as), offsetBy(8)];
}

function pick(name: string): OpcodeKind {
  const [kind] = named(name);
  if (kind === undefined) throw new Error(`there is no kind "${name}"`);
  return kind;
}

const JMP = 0x05;
const JMP32 = 0x06;
const EXIT = 0x95;

/** A jump that goes on with the next instruction, and an exit that returns one more. */
const rewrites: ReadonlyMap<string, Required<Pick<Mutant, "fault" | "rewrite">>> = new Map([
  ["ja", { fault: "goes on", rewrite: (code) => code.map((each) => (each.opcode === JMP ? stay(each) : each)) }],
  ["ja32", { fault: "goes on", rewrite: (code) => code.map((each) => (each.opcode === JMP32 ? stay(each) : each)) }],
  [
    "exit",
    {
      fault: "returns one more",
      rewrite: (code) =>
        code.flatMap((each): AssemblyInstruction[] => {
          if (each.opcode !== EXIT) return [each];
          const { labels, ...exit } = each;
          return [{ opcode: 0x07, immediate: 1, ...(labels && { labels }) }, exit];
        }),
    },
  ],
]);

function stay({ target: _, ...jump }: AssemblyInstruction): AssemblyInstruction {
  return { ...jump, offset: 0 };
}
