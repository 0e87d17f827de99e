// SPDX-License-Identifier: Apache-2.0

import type { BtfTable } from "../btf/btf-table.ts";
import { CLayouts } from "../btf/c/c-layout.ts";
import { readBtfTable } from "../btf/read-btf.ts";
import { BtfKind, type BtfVariable } from "../btf/types.ts";
import { type ElfFile, SectionIndex, SymbolBinding } from "../elf/elf-file.ts";
import { MalformedError } from "../errors.ts";
import type { ExternSpec } from "../extern-spec.ts";
import { spliceTypes } from "./splice-types.ts";

const POINTER_SIZE = 8;
/** BTF_VAR_GLOBAL_ALLOCATED and BTF_FUNC_GLOBAL: the kernel takes no externs in the BTF of an object. */
const LINKAGE_GLOBAL = 1;
/** Every value of a configuration fits many times over; what is larger was not made by a compiler. */
const LARGEST_KCONFIG = 1 << 20;

/** A variable of `.kconfig`, with its place in the map that holds them. */
export interface KconfigVariable {
  readonly name: string;
  readonly typeId: number;
  readonly offset: number;
  readonly size: number;
  readonly weak: boolean;
}

/** What an object leaves to the kernel. */
export interface ObjectExterns {
  /** The object's BTF in which every extern is something that BPF_BTF_LOAD takes. */
  readonly btf: Uint8Array;
  /** `.ksyms`, by name. */
  readonly symbols: ReadonlyMap<string, ExternSpec>;
  /** `.kconfig`, in the order of their offsets. */
  readonly settings: readonly KconfigVariable[];
}

/**
 * Reads what an object declares as `__kconfig` and `__ksym`: variables and functions in sections that exist in its
 * BTF alone, beside undefined symbols. In the result's BTF the variables of `.kconfig` have places; what stands in
 * `.ksyms` is a variable that holds an address, since the kernel takes neither functions there nor types without
 * a size. Ids of types stay as they are.
 *
 * Throws MalformedError when such a section holds something else.
 */
export function readExterns(elf: ElfFile, bytes: Uint8Array): ObjectExterns {
  const bindings = new Map<string, number>();
  for (const { section, name, binding } of elf.symbols) {
    if (section === SectionIndex.UNDEFINED && name !== "") bindings.set(name, binding);
  }
  if (bindings.size === 0) return { btf: bytes, symbols: new Map(), settings: [] };
  const declarations = new Declarations(bytes, bindings);
  return declarations.finish();
}

class Declarations {
  readonly #btf: BtfTable;
  readonly #types: DataView;
  readonly #bindings: ReadonlyMap<string, number>;
  readonly #symbols = new Map<string, ExternSpec>();
  readonly #settings: KconfigVariable[] = [];
  /** Prototypes whose parameters have names by now. */
  readonly #named = new Set<number>();
  /** Words of the types that are appended. */
  readonly #added: number[] = [];
  #addedCount = 0;

  constructor(bytes: Uint8Array, bindings: ReadonlyMap<string, number>) {
    this.#btf = readBtfTable(bytes.slice());
    this.#bindings = bindings;
    const { buffer, byteOffset, byteLength } = this.#btf.types.bytes;
    this.#types = new DataView(buffer, byteOffset, byteLength);
  }

  finish(): ObjectExterns {
    const btf = this.#btf;
    const seen = new Set<string>();
    for (let id = 1; id < btf.typeCount; id++) {
      if (btf.kindOf(id) !== BtfKind.DATASEC) continue;
      const name = btf.strings.name(btf.wordOf(id, 0));
      if (name !== ".kconfig" && name !== ".ksyms") continue;
      if (seen.has(name)) throw btf.malformed(id, `a second section "${name}"`);
      seen.add(name);
      if (name === ".kconfig") this.#readSettings(id);
      else this.#readSymbols(id);
    }
    return {
      btf: spliceTypes(btf.bytes, this.#added, btf.types.littleEndian),
      symbols: this.#symbols,
      settings: this.#settings,
    };
  }

  #readSettings(section: number): void {
    const layouts = new CLayouts(this.#btf);
    let end = 0;
    for (const [i, id] of this.#members(section).entries()) {
      const variable = this.#variable(section, id);
      const size = this.#btf.sizeOf(variable.type);
      const alignment = layouts.alignmentOf(variable.type);
      const offset = Math.ceil(end / alignment) * alignment;
      end = offset + size;
      if (end > LARGEST_KCONFIG) throw this.#btf.malformed(section, `.kconfig has more than ${LARGEST_KCONFIG} bytes`);
      this.#place(section, i, id, offset, size);
      this.#write(id, 3, LINKAGE_GLOBAL);
      const weak = this.#isWeak(variable.name);
      this.#settings.push({ name: variable.name, typeId: variable.type, offset, size, weak });
    }
    this.#write(section, 2, end);
  }

  #readSymbols(section: number): void {
    const address = this.#add(0, BtfKind.PTR, 0);
    const members = this.#members(section);
    for (const [i, id] of members.entries()) {
      const kind = this.#btf.kindOf(id);
      const name = this.#btf.wordOf(id, 0);
      const type = this.#btf.wordOf(id, 2);
      let holder = id;
      if (kind === BtfKind.FUNC) {
        this.#declare({ name: this.#btf.strings.name(name), kind: "function", typeId: type });
        this.#defineFunction(id);
        holder = this.#add(name, BtfKind.VAR, address, LINKAGE_GLOBAL);
      } else {
        const variable = this.#variable(section, id);
        const untyped = this.#btf.resolve(type) === 0;
        this.#declare({
          name: variable.name,
          kind: untyped ? "untyped variable" : "typed variable",
          typeId: untyped ? 0 : type,
        });
        this.#write(id, 2, address);
        this.#write(id, 3, LINKAGE_GLOBAL);
      }
      this.#place(section, i, holder, i * POINTER_SIZE, POINTER_SIZE);
    }
    this.#write(section, 2, members.length * POINTER_SIZE);
  }

  /** A function of the kernel as one of the object: global, its parameters named, for the kernel wants names. */
  #defineFunction(id: number): void {
    this.#write(id, 1, ((BtfKind.FUNC << 24) | LINKAGE_GLOBAL) >>> 0);
    const name = this.#btf.wordOf(id, 0);
    const proto = this.#btf.wordOf(id, 2);
    if (this.#btf.kindOf(proto) !== BtfKind.FUNC_PROTO) {
      throw this.#btf.malformed(id, `function "${this.#btf.strings.name(name)}" has no prototype`);
    }
    // Many functions may share one.
    if (this.#named.has(proto)) return;
    this.#named.add(proto);
    const parameters = this.#btf.wordOf(proto, 1) & 0xff_ffff;
    for (let i = 0; i < parameters; i++) {
      const named = this.#btf.wordOf(proto, 3 + i * 2) !== 0;
      // Type 0 stands for `...`, which has no name.
      if (!named && this.#btf.wordOf(proto, 4 + i * 2) !== 0) this.#write(proto, 3 + i * 2, name);
    }
  }

  #declare(declared: Omit<ExternSpec, "weak">): void {
    const { name } = declared;
    if (this.#symbols.has(name)) throw new MalformedError(".ksyms", undefined, `"${name}" is declared twice`);
    this.#symbols.set(name, { ...declared, weak: this.#isWeak(name) });
  }

  #isWeak(name: string): boolean {
    return this.#bindings.get(name) === SymbolBinding.WEAK;
  }

  #members(section: number): number[] {
    const count = this.#btf.wordOf(section, 1) & 0xff_ffff;
    return Array.from({ length: count }, (_, i) => this.#btf.wordOf(section, 3 + i * 3));
  }

  #variable(section: number, id: number): BtfVariable {
    const type = this.#btf.typeById(id);
    if (type.kind === BtfKind.VAR) return type;
    throw this.#btf.malformed(section, `it holds type ${id}, which is neither a variable nor a function of the kernel`);
  }

  #place(section: number, index: number, variable: number, offset: number, size: number): void {
    [variable, offset, size].forEach((word, i) => {
      this.#write(section, 3 + index * 3 + i, word);
    });
  }

  /** Appends a type of three words, or four, and returns its id. */
  #add(name: number, kind: number, type: number, ...rest: readonly number[]): number {
    this.#added.push(name, (kind << 24) >>> 0, type, ...rest);
    return this.#btf.typeCount + this.#addedCount++;
  }

  #write(id: number, word: number, value: number): void {
    this.#types.setUint32(this.#btf.offsetOf(id) + word * 4, value, this.#btf.types.littleEndian);
  }
}
