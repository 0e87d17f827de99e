// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../../btf/btf.ts";
import { type BtfEnumValue, BtfKind, type BtfMember, type BtfType } from "../../btf/types.ts";
import { MalformedError } from "../../errors.ts";

/** A member as tests write it; `bitOffset` is set to lay it elsewhere than C would. */
export interface TestMember {
  readonly name: string;
  readonly type: number;
  readonly bitSize?: number;
  readonly bitOffset?: number;
}

/** Types made by hand, laid out as a C compiler for BPF does: for tests alone. */
export class TestBtf implements Btf {
  readonly bytes: Uint8Array = new Uint8Array();
  readonly byteOrder: "little" | "big";
  readonly #types: BtfType[] = [{ kind: BtfKind.VOID, name: "" }];
  readonly #alignments = new Map<number, number>();

  constructor(byteOrder: "little" | "big" = "little") {
    this.byteOrder = byteOrder;
  }

  get typeCount(): number {
    return this.#types.length;
  }

  add(type: BtfType): number {
    return this.#types.push(type) - 1;
  }

  int(name: string, size: number, options: { signed?: boolean; bool?: boolean; bits?: number } = {}): number {
    const { signed = false, bool = false, bits = size * 8 } = options;
    return this.add({ kind: BtfKind.INT, name, size, bits, bitOffset: 0, signed, char: false, bool });
  }

  float(size: number): number {
    return this.add({ kind: BtfKind.FLOAT, name: size === 4 ? "float" : "double", size });
  }

  typedef(name: string, type: number): number {
    return this.add({ kind: BtfKind.TYPEDEF, name, type });
  }

  constant(type: number): number {
    return this.add({ kind: BtfKind.CONST, name: "", type });
  }

  pointer(type: number): number {
    return this.add({ kind: BtfKind.PTR, name: "", type });
  }

  array(element: number, length: number): number {
    return this.add({ kind: BtfKind.ARRAY, name: "", element, index: 0, length });
  }

  enumeration(name: string, size: number, signed: boolean, values: readonly BtfEnumValue[]): number {
    return this.add({ kind: size === 8 ? BtfKind.ENUM64 : BtfKind.ENUM, name, size, signed, values });
  }

  struct(name: string, members: readonly TestMember[]): number {
    let bit = 0;
    let alignment = 1;
    const laid: BtfMember[] = [];
    for (const { name: field, type, bitSize = 0, bitOffset } of members) {
      const unit = this.sizeOf(type) * 8;
      const align = this.#alignmentOf(type);
      alignment = Math.max(alignment, align);
      if (bitSize === 0) bit = Math.ceil(bit / (align * 8)) * align * 8;
      else if (Math.floor(bit / unit) !== Math.floor((bit + bitSize - 1) / unit)) bit = Math.ceil(bit / unit) * unit;
      laid.push({ name: field, type, bitOffset: bitOffset ?? bit, bitSize });
      bit = (bitOffset ?? bit) + (bitSize === 0 ? unit : bitSize);
    }
    const size = Math.ceil(bit / 8 / alignment) * alignment;
    const id = this.add({ kind: BtfKind.STRUCT, name, size, members: laid });
    this.#alignments.set(id, alignment);
    return id;
  }

  union(name: string, members: readonly TestMember[]): number {
    const alignment = Math.max(1, ...members.map((member) => this.#alignmentOf(member.type)));
    const largest = Math.max(0, ...members.map((member) => this.sizeOf(member.type)));
    const id = this.add({
      kind: BtfKind.UNION,
      name,
      size: Math.ceil(largest / alignment) * alignment,
      members: members.map(({ name: field, type }) => ({ name: field, type, bitOffset: 0, bitSize: 0 })),
    });
    this.#alignments.set(id, alignment);
    return id;
  }

  typeById(id: number): BtfType {
    const type = this.#types[id];
    if (type === undefined) throw new MalformedError(`BTF type ${id}`, undefined, "is not in the table");
    return type;
  }

  idsByName(name: string, kind?: number): readonly number[] {
    return [...this.#types.keys()].filter(
      (id) => this.#types[id]?.name === name && (kind === undefined || this.#types[id]?.kind === kind),
    );
  }

  idsByEssentialName(name: string): readonly number[] {
    return this.idsByName(name);
  }

  string(): string {
    return "";
  }

  sizeOf(id: number): number {
    const type = this.typeById(this.resolve(id));
    if (type.kind === BtfKind.ARRAY) return type.length * this.sizeOf(type.element);
    if (type.kind === BtfKind.PTR) return 8;
    if (type.kind === BtfKind.VAR) return this.sizeOf(type.type);
    if ("size" in type) return type.size;
    throw new MalformedError(`BTF type ${id}`, undefined, "has no size");
  }

  resolve(id: number): number {
    const type = this.typeById(id);
    switch (type.kind) {
      case BtfKind.TYPEDEF:
      case BtfKind.CONST:
      case BtfKind.VOLATILE:
      case BtfKind.RESTRICT:
      case BtfKind.TYPE_TAG:
        return this.resolve(type.type);
      default:
        return id;
    }
  }

  #alignmentOf(id: number): number {
    const resolved = this.resolve(id);
    const type = this.typeById(resolved);
    if (type.kind === BtfKind.ARRAY) return this.#alignmentOf(type.element);
    return this.#alignments.get(resolved) ?? this.sizeOf(resolved);
  }
}
