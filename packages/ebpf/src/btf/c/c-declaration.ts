// SPDX-License-Identifier: Apache-2.0

import { MalformedError } from "../../errors.ts";
import type { Btf } from "../btf.ts";
import { type BtfComposite, type BtfEnum, type BtfFunctionProto, BtfKind } from "../types.ts";
import { CAttributes, cAttribute } from "./c-attributes.ts";
import { type CLayouts, paddingFields } from "./c-layout.ts";
import { type CNames, cIdentifier, tagOf } from "./c-names.ts";

/** How deep types may nest: far more than any kernel's, and few enough for the stack. */
export const MAXIMUM_NESTING = 500;
/** Anonymous types are written wherever they are held; hostile ones hold each other in more ways than fit anywhere. */
const DECLARATIONS_EACH = 64;
const FURTHER_DECLARATIONS = 100_000;

/** Writes declarations and the bodies of structs, unions and enums as C. */
export class CDeclarations {
  readonly #btf: Btf;
  readonly #names: CNames;
  readonly #layouts: CLayouts;
  /** Anonymous enums that are written out: their values must not be there twice. */
  readonly #writtenEnums = new Set<number>();
  #attributes: CAttributes | undefined;
  #depth = 0;
  #count = 0;

  constructor(btf: Btf, names: CNames, layouts: CLayouts) {
    this.#btf = btf;
    this.#names = names;
    this.#layouts = layouts;
  }

  /**
   * A declaration of `inner` (a name, or empty) with the type: `int (*handler)(struct file *)`. `qualifiers` are
   * those that stand before the type in BTF; BTF may give one twice, to an array and to its elements.
   */
  declare(id: number, inner: string, indent = "", qualifiers: readonly string[] = []): string {
    if (++this.#depth > MAXIMUM_NESTING) {
      throw new MalformedError("BTF types", undefined, `type ${id}: types nest more than ${MAXIMUM_NESTING} deep`);
    }
    this.#charge(1);
    try {
      return this.#declare(id, inner, indent, qualifiers);
    } finally {
      this.#depth--;
    }
  }

  /** The attributes of a type, or of its member, as they stand behind it: each with a space in front. */
  attributes(id: number, component = -1): string {
    this.#attributes ??= new CAttributes(this.#btf);
    const attributes = this.#attributes.of(id, component);
    this.#charge(attributes.length);
    return attributes.map((attribute) => ` ${attribute}`).join("");
  }

  #charge(count: number): void {
    this.#count += count;
    const most = this.#btf.typeCount * DECLARATIONS_EACH + FURTHER_DECLARATIONS;
    if (this.#count > most) {
      throw new MalformedError("BTF types", undefined, `they take more than ${most} declarations to write down`);
    }
  }

  #declare(id: number, inner: string, indent: string, qualifiers: readonly string[]): string {
    const type = this.#btf.typeById(id);
    switch (type.kind) {
      case BtfKind.PTR: {
        const target = this.#btf.typeById(withoutQualifiers(this.#btf, type.type));
        const pointer = `*${[...qualifiers, inner].filter((word) => word !== "").join(" ")}`;
        const binds = target.kind === BtfKind.ARRAY || target.kind === BtfKind.FUNC_PROTO;
        return this.declare(type.type, binds ? `(${pointer})` : pointer, indent);
      }
      case BtfKind.CONST:
        return this.declare(type.type, inner, indent, [...new Set(["const", ...qualifiers])]);
      case BtfKind.VOLATILE:
        return this.declare(type.type, inner, indent, [...new Set(["volatile", ...qualifiers])]);
      case BtfKind.RESTRICT: {
        const target = this.#btf.typeById(this.#btf.resolve(type.type));
        return this.declare(
          type.type,
          inner,
          indent,
          target.kind === BtfKind.PTR ? ["restrict", ...qualifiers] : qualifiers,
        );
      }
      case BtfKind.TYPE_TAG: {
        const tag = type.attribute ? cAttribute(type.name) : cAttribute("btf_type_tag", type.name);
        return this.declare(type.type, inner, indent, tag === "" ? qualifiers : [...qualifiers, tag]);
      }
      case BtfKind.ARRAY:
        return this.declare(type.element, `${inner}[${type.length}]`, indent, qualifiers);
      case BtfKind.FUNC_PROTO:
        return this.declare(type.returns, `${inner}(${this.#parameters(type)})`, indent);
      default: {
        const before = qualifiers.filter((word) => !word.startsWith("__"));
        const after = qualifiers.filter((word) => word.startsWith("__"));
        return [...before, this.#base(id, indent), ...after, inner].filter((word) => word !== "").join(" ");
      }
    }
  }

  /** The body of a struct or union, braces and attributes included. */
  composite(id: number, type: BtfComposite, indent = ""): string {
    const { padding, packed, aligned, opaque } = this.#layouts.layoutOf(id, type);
    this.#charge(type.members.length);
    const deeper = `${indent}\t`;
    const lines: string[] = [];
    if (opaque) {
      lines.push(`unsigned char __opaque[${type.size}];`);
    } else {
      let bit = 0;
      type.members.forEach((member, i) => {
        lines.push(...paddingFields(bit, padding[i] ?? 0));
        const bits = member.bitSize === 0 ? "" : ` : ${member.bitSize}`;
        const declaration = this.#member(member.type, cIdentifier(member.name), deeper);
        lines.push(`${declaration}${bits}${this.attributes(id, i)};`);
        bit = member.bitOffset + (member.bitSize === 0 ? this.#btf.sizeOf(member.type) * 8 : member.bitSize);
      });
      lines.push(...paddingFields(bit, padding[type.members.length] ?? 0));
    }
    const attributes = [...(packed ? ["packed"] : []), ...(aligned === undefined ? [] : [`aligned(${aligned})`])];
    const suffix = attributes.length === 0 ? "" : ` __attribute__((${attributes.join(", ")}))`;
    const body = lines.length === 0 ? "{}" : `{\n${lines.map((line) => `${deeper}${line}\n`).join("")}${indent}}`;
    return `${body}${suffix}${this.attributes(id)}`;
  }

  /** The body of an enum, braces and attributes included. */
  enumeration(id: number, type: BtfEnum, indent = ""): string {
    this.#writtenEnums.add(id);
    const names = this.#names.valueNames(id);
    const lines = type.values.map(({ value }, i) => `${indent}\t${names[i]} = ${literal(value, type)},\n`);
    // Values of more than 32 bits make an enum of 8 bytes without being told.
    const wide = type.values.some(({ value }) => value > 0xffff_ffff || value < -0x8000_0000);
    const mode = { 1: "QI", 2: "HI", 4: "", 8: wide ? "" : "DI" }[type.size] ?? "";
    return `{\n${lines.join("")}${indent}}${mode === "" ? "" : ` __attribute__((mode(${mode})))`}`;
  }

  /** Whether the values of an anonymous enum have been written. */
  isWritten(id: number): boolean {
    return this.#writtenEnums.has(id);
  }

  /** A type without a name for what is declared as it. */
  #base(id: number, indent: string): string {
    const type = this.#btf.typeById(id);
    const name = this.#names.typeName(id);
    switch (type.kind) {
      case BtfKind.VOID:
        return "void";
      case BtfKind.INT:
        return integerName(type.name, type.size, type.signed);
      case BtfKind.FLOAT:
        return type.size === 4 ? "float" : type.size === 8 ? "double" : "long double";
      case BtfKind.TYPEDEF:
        return name ?? "void";
      case BtfKind.FWD:
        return `${tagOf(type)} ${name}`;
      case BtfKind.STRUCT:
      case BtfKind.UNION:
        return `${tagOf(type)} ${name ?? this.composite(id, type, indent)}`;
      case BtfKind.ENUM:
      case BtfKind.ENUM64:
        // C has no enum without values, and the values of an anonymous one can only be there once.
        if (type.values.length === 0) return integerName("", type.size, type.signed);
        if (name !== undefined) return `enum ${name}`;
        if (this.#writtenEnums.has(id)) return integerName("", type.size, type.signed);
        return `enum ${this.enumeration(id, type, indent)}`;
      default:
        throw new MalformedError("BTF types", undefined, `type ${id} of kind ${type.kind} cannot be declared`);
    }
  }

  /** A member. Named structs as anonymous members are an extension of C: their body stands here instead. */
  #member(id: number, name: string, indent: string): string {
    const resolved = this.#btf.resolve(id);
    const type = this.#btf.typeById(resolved);
    if (name === "" && (type.kind === BtfKind.STRUCT || type.kind === BtfKind.UNION)) {
      return `${tagOf(type)} ${this.composite(resolved, type, indent)}`;
    }
    return this.declare(id, name, indent);
  }

  #parameters(type: BtfFunctionProto): string {
    if (type.parameters.length === 0) return "void";
    return type.parameters
      .map(({ name, type: parameter }) => (parameter === 0 && name === "" ? "..." : this.declare(parameter, "")))
      .join(", ");
  }
}

/** The type behind const, volatile, restrict and type tags, but not behind typedefs. */
export function withoutQualifiers(btf: Btf, id: number): number {
  let current = id;
  for (let depth = 0; depth < MAXIMUM_NESTING; depth++) {
    const type = btf.typeById(current);
    switch (type.kind) {
      case BtfKind.CONST:
      case BtfKind.VOLATILE:
      case BtfKind.RESTRICT:
      case BtfKind.TYPE_TAG:
        current = type.type;
        break;
      default:
        return current;
    }
  }
  throw new MalformedError("BTF types", undefined, `type ${id}: qualifiers lead in a circle`);
}

const INTEGERS: ReadonlySet<string> = new Set([
  ...["char", "signed char", "unsigned char", "short", "short int", "unsigned short", "short unsigned int"],
  ...["int", "unsigned int", "unsigned", "long", "long int", "unsigned long", "long unsigned int", "_Bool"],
  ...["long long", "long long int", "unsigned long long", "long long unsigned int", "__int128", "unsigned __int128"],
]);

/** C's own name for an integer; another one for those of compilers with names of their own. */
function integerName(name: string, size: number, signed: boolean): string {
  if (INTEGERS.has(name)) return name;
  const base = { 1: "char", 2: "short", 4: "int", 8: "long long", 16: "__int128" }[size];
  if (base === undefined) throw new MalformedError("BTF types", undefined, `C has no integer of ${size} bytes`);
  return `${signed ? "signed" : "unsigned"} ${base}`;
}

function literal(value: number | bigint, { size, signed }: BtfEnum): string {
  if (size < 8) return String(value);
  // The least number has no literal: C reads it as minus a number that is one too large.
  if (value === -(2n ** 63n)) return "(-9223372036854775807LL - 1)";
  return `${value}${signed ? "LL" : "ULL"}`;
}
