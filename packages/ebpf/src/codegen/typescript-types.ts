// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { type BtfArray, type BtfComposite, type BtfEnum, BtfKind, type BtfMember, type BtfType } from "../btf/types.ts";
import { isByte, isChar } from "../codec/member-place.ts";
import { MalformedError } from "../errors.ts";
import { inComment, propertyKey, TypeScriptNames } from "./typescript-names.ts";

/** How deep types may lie within each other; the same as for codecs. */
const MAXIMUM_DEPTH = 64;
/** Anonymous types are written wherever they are held; hostile ones hold each other in more ways than fit anywhere. */
const MAXIMUM_FIELDS = 200_000;

/** A struct, union or enum that has a TypeScript type of its own. */
export interface DeclaredType {
  readonly id: number;
  /** As C calls it, for instance `exec_event`. */
  readonly cName: string;
  readonly name: string;
  /** The type alone. */
  readonly text: string;
  /** Of an enum: its values, which stand beside the type under the same name. */
  readonly labels: readonly (readonly [label: string, value: number | bigint])[] | undefined;
}

/** Writes BTF types as the TypeScript types of what `codecFor` decodes them to. */
export class TypeScriptTypes {
  readonly #btf: Btf;
  readonly #names: TypeScriptNames;
  readonly #nameById = new Map<number, string>();
  readonly #declared: DeclaredType[] = [];
  #depth = 0;
  #fieldCount = 0;

  constructor(btf: Btf, names: TypeScriptNames = new TypeScriptNames()) {
    this.#btf = btf;
    this.#names = names;
  }

  /** The declarations that the references made so far need, in the order in which they were first needed. */
  get declared(): readonly DeclaredType[] {
    return this.#declared;
  }

  /** A type's TypeScript. Throws MalformedError for types without values, and those nested too deep. */
  reference(id: number): string {
    if (++this.#depth > MAXIMUM_DEPTH) {
      throw new MalformedError(`BTF type ${id}`, undefined, `lies more than ${MAXIMUM_DEPTH} types deep`);
    }
    const text = this.#reference(id);
    this.#depth--;
    return text;
  }

  #reference(id: number): string {
    const resolved = this.#btf.resolve(id);
    const type = this.#btf.typeById(resolved);
    switch (type.kind) {
      case BtfKind.INT:
        return type.bool ? "boolean" : integer(type.bits);
      case BtfKind.PTR:
        return "bigint";
      case BtfKind.FLOAT:
        return type.size === 4 || type.size === 8 ? "number" : "Uint8Array";
      case BtfKind.ARRAY:
        return this.#array(type);
      case BtfKind.ENUM:
      case BtfKind.ENUM64:
        return this.#named(id, resolved, type, () => labels(type));
      case BtfKind.STRUCT:
      case BtfKind.UNION:
        return this.#named(id, resolved, type, (indent) => this.#object(type, indent));
      case BtfKind.VAR:
        return this.reference(type.type);
      default:
        throw new MalformedError(`BTF type ${id}`, undefined, "has no values");
    }
  }

  #array(type: BtfArray): string {
    const element = this.#btf.typeById(this.#btf.resolve(type.element));
    if (isChar(element)) return "string";
    if (isByte(element)) return "Uint8Array";
    const text = this.reference(type.element);
    return /^[\w.]+(\[\])*$/.test(text) ? `${text}[]` : `(${text})[]`;
  }

  /** Declares a type under the name of its tag or of the typedef before it; one without a name stands in place. */
  #named(id: number, resolved: number, type: BtfComposite | BtfEnum, body: (indent: string) => string): string {
    const known = this.#nameById.get(resolved);
    if (known !== undefined) return known;
    const cName = type.name === "" ? this.#typedefName(id) : type.name;
    if (cName === "") return body("  ");
    const name = this.#names.take(cName);
    this.#nameById.set(resolved, name);
    const text = declaration(type, cName, name, body(""));
    const labels = "values" in type ? valuesOf(type) : undefined;
    this.#declared.push({ id: resolved, cName, name, text, labels });
    return name;
  }

  /** The name of the last typedef before a type; empty when there is none. */
  #typedefName(id: number): string {
    let name = "";
    let current = id;
    for (let depth = 0; depth < MAXIMUM_DEPTH; depth++) {
      const type = this.#btf.typeById(current);
      switch (type.kind) {
        case BtfKind.TYPEDEF:
          name = type.name;
          current = type.type;
          break;
        case BtfKind.CONST:
        case BtfKind.VOLATILE:
        case BtfKind.RESTRICT:
        case BtfKind.TYPE_TAG:
          current = type.type;
          break;
        default:
          return name;
      }
    }
    return name;
  }

  #object(type: BtfComposite, indent: string): string {
    const fields = this.#fields(type, 0, type.kind === BtfKind.UNION, indent);
    return fields.length === 0 ? "Record<string, never>" : `{\n${fields.join("")}${indent}}`;
  }

  /** Fields with those of anonymous members among them. Those of a union are optional: writing takes one of them. */
  #fields(type: BtfComposite, base: number, optional: boolean, indent: string): string[] {
    this.#fieldCount += type.members.length;
    if (this.#fieldCount > MAXIMUM_FIELDS) {
      throw new MalformedError("BTF types", undefined, `more than ${MAXIMUM_FIELDS} fields are needed`);
    }
    return type.members.flatMap((member) => {
      const inner = this.#btf.typeById(this.#btf.resolve(member.type));
      if (member.name === "") {
        if (!("members" in inner)) return [];
        return this.#fields(inner, base + member.bitOffset, optional || inner.kind === BtfKind.UNION, indent);
      }
      const place = `${indent}  /** ${this.#place(member, base, inner)} */\n`;
      const text = member.bitSize > 0 && isInteger(inner) ? integer(member.bitSize) : this.reference(member.type);
      return [`${place}${indent}  ${propertyKey(member.name)}${optional ? "?" : ""}: ${text};\n`];
    });
  }

  #place(member: BtfMember, base: number, inner: BtfType): string {
    const bit = base + member.bitOffset;
    const type = this.#btf.typeById(member.type);
    const name = type.name === "" ? inner.name : type.name;
    const what = name === "" ? "" : `${inComment(name)}, `;
    return member.bitSize > 0 ? `${what}${member.bitSize} bits at bit ${bit}` : `${what}at byte ${bit / 8}`;
  }
}

function isInteger(type: BtfType): boolean {
  return type.kind === BtfKind.INT && !type.bool;
}

function integer(bits: number): string {
  return bits <= 32 ? "number" : "bigint";
}

function labels(type: BtfEnum): string {
  const names = [...new Set(type.values.map(({ name }) => JSON.stringify(name)))];
  return [...names, "number", ...(type.size === 8 ? ["bigint"] : [])].join(" | ");
}

function declaration(type: BtfComposite | BtfEnum, cName: string, name: string, body: string): string {
  const bytes = `${type.size} ${type.size === 1 ? "byte" : "bytes"}`;
  if ("values" in type) {
    return (
      `/** \`enum ${inComment(cName)}\`, ${bytes}: a value is its label, or a number when it has none. */\n` +
      `export type ${name} = ${body};\n`
    );
  }
  const union = type.kind === BtfKind.UNION;
  const how = union ? " Reading gives all members, writing takes one." : "";
  const head = `/** \`${union ? "union" : "struct"} ${inComment(cName)}\`, ${bytes}.${how} */\n`;
  return body.startsWith("{") ? `${head}export interface ${name} ${body}\n` : `${head}export type ${name} = ${body};\n`;
}

/** The values by label, the last of those that have the same. */
function valuesOf(type: BtfEnum): [string, number | bigint][] {
  return [...new Map(type.values.map(({ name, value }) => [name, value]))];
}

/** A declared type with its values, in TypeScript. */
export function typeScriptOf({ text, cName, name, labels }: DeclaredType): string {
  if (labels === undefined) return text;
  const members = labels.map(
    ([label, value]) => `  ${propertyKey(label)}: ${value}${typeof value === "bigint" ? "n" : ""},\n`,
  );
  return `${text}\n/** The values of \`enum ${inComment(cName)}\`. */\nexport const ${name} = {\n${members.join("")}} as const;\n`;
}
