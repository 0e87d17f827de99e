// SPDX-License-Identifier: Apache-2.0

import type { SectionExtension } from "../btf/btf-ext.ts";
import { type ElfRelocation, RelocationType, SectionIndex, SymbolType } from "../elf/elf-file.ts";
import { MalformedError } from "../errors.ts";
import type { ExternSpec } from "../extern-spec.ts";
import { INSTRUCTION_SIZE, Instructions, Opcode, PseudoCall, PseudoLoad } from "../instruction.ts";
import type {
  CoreRelocation,
  ExternReference,
  FunctionInfo,
  LineInfo,
  MapReference,
  ProgramSpec,
} from "../program-spec.ts";
import { sectionMeaning } from "../section-names.ts";
import type { CodeSection, ObjectFunction } from "./functions.ts";
import { KCONFIG } from "./kconfig-map.ts";
import type { ObjectContext } from "./object-context.ts";

/** Bytes that an object may still cause to be copied; see `parseObject`. */
export interface Budget {
  bytes: number;
}

/** What a record of .BTF.ext costs in memory, roughly. */
const RECORD_COST = 64;

/** The part of a section's records that lies in a function. */
type Located<T> = T & { readonly instruction: number };

/** What the instructions of a program refer to, by their slots in the program. */
interface References {
  readonly functions: { slot: number; fn: ObjectFunction }[];
  readonly maps: MapReference[];
  readonly externs: ExternReference[];
}

/**
 * Makes a program of a function: appends every function that it calls or takes the address of, directly or
 * not, each once, and resolves calls and references between them (R_BPF_64_32 and R_BPF_64_64,
 * Documentation/bpf/llvm_reloc.rst). Throws MalformedError with program and slot.
 */
export function assembleProgram(
  main: ObjectFunction,
  code: ReadonlyMap<number, CodeSection>,
  context: ObjectContext,
  budget: Budget,
): ProgramSpec {
  const assembly = new Assembly(main, code, context, budget);
  const section = main.section.section.name;
  return {
    name: main.name,
    section,
    ...sectionMeaning(section),
    ...assembly.finish(),
    license: context.license,
    kernelVersion: context.kernelVersion,
  };
}

class Assembly {
  readonly #main: ObjectFunction;
  readonly #code: ReadonlyMap<number, CodeSection>;
  readonly #context: ObjectContext;
  readonly #budget: Budget;
  /** Where each function begins in the program, in slots, in the order in which they were met. */
  readonly #starts = new Map<ObjectFunction, number>();
  #length = 0;

  constructor(main: ObjectFunction, code: ReadonlyMap<number, CodeSection>, context: ObjectContext, budget: Budget) {
    this.#main = main;
    this.#code = code;
    this.#context = context;
    this.#budget = budget;
  }

  finish(): Pick<
    ProgramSpec,
    "instructions" | "mapReferences" | "externReferences" | "coreRelocations" | "functionInfo" | "lineInfo"
  > {
    this.#place(this.#main);
    const references: References = { functions: [], maps: [], externs: [] };
    // Grows while it is iterated: placing a function that is called appends it.
    for (const [fn, start] of this.#starts) this.#scan(fn, start, references);

    const bytes = new Uint8Array(this.#length * INSTRUCTION_SIZE);
    for (const [fn, start] of this.#starts) {
      const from = fn.start * INSTRUCTION_SIZE;
      bytes.set(fn.section.section.bytes.subarray(from, from + fn.length * INSTRUCTION_SIZE), start * INSTRUCTION_SIZE);
    }
    const instructions = new Instructions(bytes, this.#context.elf.byteOrder);
    for (const { slot, fn } of references.functions) this.#pointAt(instructions, slot, this.#starts.get(fn) as number);
    for (const { instruction, valueOffset } of references.maps) {
      const kind = valueOffset === undefined ? PseudoLoad.MAP_FD : PseudoLoad.MAP_VALUE;
      instructions.setRegisters(instruction, instructions.destination(instruction), kind);
      instructions.setImmediate(instruction, 0);
      instructions.setImmediate(instruction + 1, valueOffset ?? 0);
    }
    for (const { instruction } of references.externs) {
      // The loader chooses what stands in their place; until then a load is of 0, and a call of no function.
      const call = instructions.opcode(instruction) === Opcode.CALL;
      instructions.setRegisters(instruction, instructions.destination(instruction), call ? PseudoCall.KFUNC : 0);
      instructions.setImmediate(instruction, 0);
    }
    return {
      instructions: bytes,
      mapReferences: references.maps,
      externReferences: references.externs,
      ...this.#records(),
    };
  }

  #place(fn: ObjectFunction): void {
    if (this.#starts.has(fn)) return;
    this.#budget.bytes -= fn.length * INSTRUCTION_SIZE;
    if (this.#budget.bytes < 0)
      throw this.#error(undefined, "the programs repeat their subprograms beyond all proportion to the object");
    this.#starts.set(fn, this.#length);
    this.#length += fn.length;
  }

  /** Finds what the instructions of one function refer to. */
  #scan(fn: ObjectFunction, start: number, references: References): void {
    const { section, relocations } = fn.section;
    const code = new Instructions(section.bytes, this.#context.elf.byteOrder);
    const end = fn.start + fn.length;
    for (let at = fn.start; at < end; at++) {
      const slot = start + at - fn.start;
      const relocation = relocations.get(at);
      const opcode = code.opcode(at);
      if (opcode === Opcode.LD_IMM64) {
        if (at + 1 >= end) throw this.#error(slot, "ld_imm64 lacks its second half");
        if (relocation !== undefined) {
          if (relocation.type !== RelocationType.LD_IMM64)
            throw this.#error(slot, `relocation type ${relocation.type} on ld_imm64, wanted 1`);
          const target = this.#resolveLoad(relocation, code.immediate(at), slot);
          if ("fn" in target) references.functions.push({ slot, fn: target.fn });
          else if ("map" in target) references.maps.push(target);
          else references.externs.push(target);
        }
        at++;
        if (relocations.has(at)) throw this.#error(slot, "a relocation changes the second half of ld_imm64");
      } else if (opcode === Opcode.CALL && code.source(at) === PseudoCall.FUNCTION) {
        if (relocation !== undefined && isExtern(relocation)) {
          references.externs.push({ instruction: slot, name: this.#calledExtern(relocation, slot).name });
          continue;
        }
        const callee = this.#resolveCall(fn, relocation, at, code.immediate(at), slot);
        this.#place(callee);
        references.functions.push({ slot, fn: callee });
      } else if (relocation !== undefined) {
        this.#refuseReserved(relocation);
        throw this.#error(slot, `a relocation to "${relocation.symbol.name}" on opcode 0x${opcode.toString(16)}`);
      }
    }
  }

  /** Where an `ld_imm64` leads: a map, a byte of a data section, or a function. */
  #resolveLoad(
    relocation: ElfRelocation,
    immediate: number,
    slot: number,
  ): MapReference | ExternReference | { fn: ObjectFunction } {
    const { symbol } = relocation;
    const offset = symbol.value + (relocation.addend ?? immediate);
    if (isExtern(relocation)) return this.#loadedExtern(symbol.name, offset, slot);
    this.#refuseReserved(relocation);
    const { elf, declaredMaps, mapsBySection } = this.#context;
    const { name = "", size = 0 } = elf.sections[symbol.section] ?? {};
    const declared = declaredMaps.get(symbol.section);
    if (declared !== undefined) {
      const map = declared.get(offset);
      if (map === undefined) throw this.#error(slot, `a reference to byte ${offset} of ${name}, where no map begins`);
      return { instruction: slot, map: map.name, valueOffset: undefined };
    }
    const data = mapsBySection.get(symbol.section);
    if (data !== undefined) {
      if (offset < 0 || offset > size) {
        throw this.#error(slot, `a reference to byte ${offset} of section "${name}", which has ${size}`);
      }
      return { instruction: slot, map: data.name, valueOffset: offset };
    }
    const section = this.#code.get(symbol.section);
    if (section !== undefined) {
      const fn = section.functionAt.get(offset / INSTRUCTION_SIZE);
      if (fn === undefined)
        throw this.#error(slot, `the address of byte ${offset} of "${section.section.name}", where no function begins`);
      this.#place(fn);
      return { fn };
    }
    throw this.#error(slot, `a reference to "${symbol.name}", which is neither a map, a variable nor a function`);
  }

  #resolveCall(
    caller: ObjectFunction,
    relocation: ElfRelocation | undefined,
    at: number,
    immediate: number,
    slot: number,
  ): ObjectFunction {
    let section: CodeSection | undefined = caller.section;
    let target = at + 1 + immediate;
    if (relocation !== undefined) {
      this.#refuseReserved(relocation);
      const { symbol, addend } = relocation;
      if (relocation.type !== RelocationType.CALL)
        throw this.#error(slot, `relocation type ${relocation.type} on a call, wanted 10`);
      section = this.#code.get(symbol.section);
      if (section === undefined) throw this.#error(slot, `a call to "${symbol.name}", which is not code`);
      // In place the addend is stored as the call's immediate, which counts slots from the next instruction.
      target =
        addend === undefined
          ? symbol.value / INSTRUCTION_SIZE + immediate + 1
          : (symbol.value + addend) / INSTRUCTION_SIZE;
    }
    const callee = section.functionAt.get(target);
    if (callee === undefined)
      throw this.#error(slot, `a call to slot ${target} of "${section.section.name}", where no function begins`);
    return callee;
  }

  #pointAt(instructions: Instructions, slot: number, target: number): void {
    if (instructions.opcode(slot) === Opcode.LD_IMM64) {
      instructions.setRegisters(slot, instructions.destination(slot), PseudoLoad.FUNC);
      instructions.setImmediate(slot + 1, 0);
    }
    instructions.setImmediate(slot, target - slot - 1);
  }

  /** A load from the kernel's configuration, or of the address of a symbol of the kernel. */
  #loadedExtern(name: string, offset: number, slot: number): MapReference | ExternReference {
    const setting = this.#context.settings.get(name);
    if (setting !== undefined) {
      if (offset < 0 || offset > setting.size) {
        throw this.#error(slot, `a reference to byte ${offset} of "${name}", which has ${setting.size}`);
      }
      return { instruction: slot, map: KCONFIG, valueOffset: setting.offset + offset };
    }
    if (offset !== 0) throw this.#error(slot, `a reference to byte ${offset} of extern "${name}", wanted its address`);
    return { instruction: slot, name: this.#extern(name, slot).name };
  }

  #calledExtern({ symbol, type, addend = 0 }: ElfRelocation, slot: number): ExternSpec {
    if (type !== RelocationType.CALL) throw this.#error(slot, `relocation type ${type} on a call, wanted 10`);
    const extern = this.#extern(symbol.name, slot);
    if (extern.kind !== "function" || addend !== 0) {
      throw this.#error(
        slot,
        `a call of extern "${symbol.name}", which is ${addend === 0 ? `an ${extern.kind}` : `called at byte ${addend}`}`,
      );
    }
    return extern;
  }

  #extern(name: string, slot: number): ExternSpec {
    const extern = this.#context.externs.get(name);
    if (extern !== undefined) return extern;
    throw this.#error(
      slot,
      `extern "${name}" is defined in no object: link it in, or declare it __ksym or __kconfig and compile with -g`,
    );
  }

  #refuseReserved({ symbol }: ElfRelocation): void {
    if (symbol.section >= SectionIndex.RESERVED || symbol.type === SymbolType.FILE) {
      throw this.#error(undefined, `"${symbol.name}" lies in the reserved section ${symbol.section}`);
    }
  }

  #records(): Pick<ProgramSpec, "coreRelocations" | "functionInfo" | "lineInfo"> {
    const coreRelocations: CoreRelocation[] = [];
    const functionInfo: FunctionInfo[] = [];
    const lineInfo: LineInfo[] = [];
    let complete = true;
    for (const [fn, start] of this.#starts) {
      const extension = this.#context.extension.get(fn.section.section.name);
      if (extension === undefined) {
        complete = false;
        continue;
      }
      this.#copy(extension.coreRelocations, fn, start, coreRelocations);
      complete &&= this.#copyDescription(extension, fn, start, functionInfo, lineInfo);
    }
    // The kernel wants func_info and line_info for all functions of a program or for none.
    return complete ? { coreRelocations, functionInfo, lineInfo } : { coreRelocations, functionInfo: [], lineInfo: [] };
  }

  /** Returns whether the function is described from its first instruction on. */
  #copyDescription(
    extension: SectionExtension,
    fn: ObjectFunction,
    start: number,
    functionInfo: FunctionInfo[],
    lineInfo: LineInfo[],
  ): boolean {
    const before = functionInfo.length;
    this.#copy(extension.functionInfo, fn, start, functionInfo);
    if (functionInfo.length !== before + 1 || functionInfo[before]?.instruction !== start) return false;
    this.#copy(extension.lineInfo, fn, start, lineInfo);
    return true;
  }

  /** Copies the records that lie in a function, counted from the program's start. */
  #copy<T>(records: readonly Located<T>[], fn: ObjectFunction, start: number, into: Located<T>[]): void {
    const end = fn.start + fn.length;
    for (let i = lowerBound(records, fn.start); i < records.length; i++) {
      const record = records[i] as Located<T>;
      if (record.instruction >= end) break;
      this.#budget.bytes -= RECORD_COST;
      if (this.#budget.bytes < 0)
        throw this.#error(undefined, "the programs repeat their line information beyond all proportion to the object");
      into.push({ ...record, instruction: record.instruction - fn.start + start });
    }
  }

  #error(slot: number | undefined, message: string): MalformedError {
    return new MalformedError(
      `program "${this.#main.name}"${slot === undefined ? "" : `, instruction ${slot}`}`,
      undefined,
      message,
    );
  }
}

function isExtern({ symbol }: ElfRelocation): boolean {
  return symbol.section === SectionIndex.UNDEFINED;
}

/** Index of the first record at or after an instruction. */
function lowerBound(records: readonly { readonly instruction: number }[], instruction: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle] as { readonly instruction: number }).instruction < instruction) low = middle + 1;
    else high = middle;
  }
  return low;
}
