// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { type BtfArray, type BtfComposite, type BtfDataSection, BtfKind } from "../btf/types.ts";
import { MalformedError } from "../errors.ts";
import { arrayCodec, bytesCodec, textCodec } from "./array-codecs.ts";
import type { BitRange } from "./bits.ts";
import { enumCodec } from "./enum-codec.ts";
import { isByte, isChar, placeOf } from "./member-place.ts";
import { type FieldGroup, type ObjectField, objectCodec } from "./object-codec.ts";
import { bitfieldCodec, booleanCodec, floatCodec, integerCodec } from "./scalar-codecs.ts";
import type { ValueCodec } from "./value-codec.ts";

/** Members that one codec may have, those of nested types included; the kernel's largest structs have a few thousand. */
const MAX_MEMBERS = 65_536;

/** How deep types may lie within each other. */
const MAX_DEPTH = 64;

/** Builds the tree of codecs of one type; each type that it contains is built once. */
export class CodecBuilder {
  readonly #btf: Btf;
  readonly #little: boolean;
  readonly #built = new Map<number, ValueCodec>();
  #members = 0;
  #depth = 0;

  constructor(btf: Btf) {
    this.#btf = btf;
    this.#little = btf.byteOrder === "little";
  }

  /** Throws MalformedError for a type without values. */
  build(typeId: number): ValueCodec {
    const id = this.#btf.resolve(typeId);
    const known = this.#built.get(id);
    if (known !== undefined) return known;
    // Refuses endless types before anything here follows them.
    const size = this.#btf.sizeOf(id);
    const codec = this.#within(id, () => this.#make(id));
    if (codec.size !== size) throw malformed(id, `is ${size} bytes, what it holds ${codec.size}`);
    // Nothing bounds how often a value of no bytes may be repeated.
    if (codec.cells > 16 * size + MAX_MEMBERS) throw malformed(id, `holds ${codec.cells} values in ${size} bytes`);
    this.#built.set(id, codec);
    return codec;
  }

  #within<T>(id: number, make: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw malformed(id, `lies more than ${MAX_DEPTH} types deep`);
    const made = make();
    this.#depth--;
    return made;
  }

  #make(id: number): ValueCodec {
    const type = this.#btf.typeById(id);
    switch (type.kind) {
      case BtfKind.INT: {
        if (type.bits !== type.size * 8 || type.bitOffset !== 0) {
          return { ...this.#bitfield(id, { offset: type.bitOffset % 8, size: type.bits }), size: type.size };
        }
        const codec = integerCodec(type.size, type.signed, this.#little);
        if (codec === undefined) throw malformed(id, `is an integer of ${type.size} bytes`);
        return type.bool ? booleanCodec(codec) : codec;
      }
      case BtfKind.ENUM:
      case BtfKind.ENUM64: {
        const codec = integerCodec(type.size, type.signed, this.#little);
        if (codec === undefined) throw malformed(id, `is an enum of ${type.size} bytes`);
        return enumCodec(type, codec);
      }
      case BtfKind.PTR: {
        const codec = integerCodec(this.#btf.sizeOf(id), false, this.#little);
        if (codec === undefined) throw malformed(id, `is a pointer of ${this.#btf.sizeOf(id)} bytes`);
        return codec;
      }
      case BtfKind.FLOAT:
        return floatCodec(type.size, this.#little) ?? bytesCodec(type.size);
      case BtfKind.ARRAY:
        return this.#array(type);
      case BtfKind.STRUCT:
      case BtfKind.UNION:
        return objectCodec(type.size, this.#group(id, type, 0, new Set()));
      case BtfKind.VAR:
        return this.build(type.type);
      case BtfKind.DATASEC:
        return this.#section(id, type);
      default:
        throw malformed(id, "has no values");
    }
  }

  #array(type: BtfArray): ValueCodec {
    const element = this.#btf.typeById(this.#btf.resolve(type.element));
    if (isChar(element)) return textCodec(type.length);
    if (isByte(element)) return bytesCodec(type.length);
    return arrayCodec(this.build(type.element), type.length);
  }

  /** The fields of a struct or union that begins `base` bytes into the object whose `names` these become. */
  #group(id: number, type: BtfComposite, base: number, names: Set<string>): FieldGroup {
    const parts: (ObjectField | FieldGroup)[] = [];
    for (const member of type.members) {
      if (++this.#members > MAX_MEMBERS) throw malformed(id, `and what it holds have more than ${MAX_MEMBERS} members`);
      const inner = this.#btf.resolve(member.type);
      const innerType = this.#btf.typeById(inner);
      if (member.name === "") {
        // What has no name and no members is padding.
        if (innerType.kind !== BtfKind.STRUCT && innerType.kind !== BtfKind.UNION) continue;
        checkBounds(id, type.size, "an anonymous member", member.bitOffset / 8, innerType.size);
        const start = base + member.bitOffset / 8;
        parts.push(this.#within(inner, () => this.#group(inner, innerType, start, names)));
        continue;
      }
      if (names.has(member.name)) throw malformed(id, `has two members "${member.name}"`);
      names.add(member.name);
      const { offset, bits } = placeOf(member, innerType);
      const codec = bits === undefined ? this.build(inner) : this.#bitfield(inner, bits);
      checkBounds(id, type.size, `member "${member.name}"`, offset, codec.size);
      parts.push({ name: member.name, offset: base + offset, codec });
    }
    return { union: type.kind === BtfKind.UNION, parts };
  }

  #bitfield(id: number, bits: BitRange): ValueCodec {
    const type = this.#btf.typeById(id);
    if (bits.size > 64) throw malformed(id, `is the type of a bitfield of ${bits.size} bits`);
    switch (type.kind) {
      case BtfKind.INT: {
        const integer = bitfieldCodec(bits, type.signed, this.#little);
        return type.bool ? booleanCodec(integer) : integer;
      }
      case BtfKind.ENUM:
      case BtfKind.ENUM64:
        return enumCodec(type, bitfieldCodec(bits, type.signed, this.#little));
      default:
        throw malformed(id, "is the type of a bitfield but no integer");
    }
  }

  /** A data section as a struct of its variables. */
  #section(id: number, section: BtfDataSection): ValueCodec {
    const parts: ObjectField[] = [];
    let end = 0;
    for (const variable of section.variables.toSorted((a, b) => a.offset - b.offset)) {
      const { name } = this.#btf.typeById(variable.type);
      const codec = this.build(variable.type);
      // clang leaves offsets at 0 until the object's symbols fill them in.
      if (variable.offset < end) throw malformed(id, `variable "${name}" overlaps the one before it`);
      checkBounds(id, section.size, `variable "${name}"`, variable.offset, codec.size);
      end = variable.offset + codec.size;
      parts.push({ name, offset: variable.offset, codec });
    }
    return objectCodec(section.size, { union: false, parts });
  }
}

function checkBounds(id: number, outer: number, what: string, offset: number, size: number): void {
  if (offset + size > outer) {
    throw malformed(id, `${what} ends at byte ${offset + size} of a type of ${outer} bytes`);
  }
}

function malformed(id: number, message: string): MalformedError {
  return new MalformedError(`BTF type ${id}`, undefined, message);
}
