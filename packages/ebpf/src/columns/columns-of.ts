// SPDX-License-Identifier: Apache-2.0

import type { Btf } from "../btf/btf.ts";
import { type BtfComposite, BtfKind, type BtfMember } from "../btf/types.ts";
import { bytesOfBits } from "../codec/bits.ts";
import { placeOf } from "../codec/member-place.ts";
import { InvalidValueError } from "../errors.ts";
import type { ColumnLayout } from "./column-layout.ts";
import { fieldShape } from "./field-shape.ts";

/** Bytes of a SQL identifier in PostgreSQL (NAMEDATALEN - 1). */
const MAX_NAME = 63;
/** Columns of a PostgreSQL table (MaxHeapAttributeNumber). */
const MAX_COLUMNS = 1600;
/** Members looked at, nested ones included: more than any struct of that many columns has. */
const MAX_MEMBERS = 10 * MAX_COLUMNS;

/**
 * The columns that a record of a struct becomes, in the order of its fields, by the table in `skep.bpf.h`: the
 * typedef that a field was declared with gives it its meaning. Fields of nested structs carry the outer field's
 * name before theirs (`outer_inner`), those of anonymous structs do not. Fields whose name begins with `_` are
 * padding and left out.
 *
 * Throws InvalidValueError naming the struct and the field, with what could be written instead, for a name that
 * is no SQL identifier, two fields with one name, an anonymous union, an array without a length, or a `skep_`
 * typedef over another type than its own; and for a type that is no struct.
 */
export function columnsOf(btf: Btf, structTypeId: number): ColumnLayout[] {
  const id = btf.resolve(structTypeId);
  const type = btf.typeById(id);
  if (type.kind !== BtfKind.STRUCT) {
    const { name } = btf.typeById(structTypeId);
    throw new InvalidValueError(
      `${name === "" ? `type ${id}` : `"${name}"`} is no struct: records are declared as one`,
    );
  }
  const walk = new ColumnWalk(btf, type.name === "" ? btf.typeById(structTypeId).name : type.name);
  walk.struct(type, 0, "", "");
  if (walk.columns.length === 0) throw walk.refused("", "has no field to make a column of");
  return walk.columns;
}

class ColumnWalk {
  readonly columns: ColumnLayout[] = [];
  readonly #btf: Btf;
  readonly #struct: string;
  /** Which field a name came from. */
  readonly #fields = new Map<string, string>();
  #members = 0;

  constructor(btf: Btf, struct: string) {
    this.#btf = btf;
    this.#struct = struct;
  }

  /** Adds the fields of a struct `base` bytes into the record; `path` as C writes it, `prefix` as columns have it. */
  struct(type: BtfComposite, base: number, path: string, prefix: string): void {
    for (const member of type.members) {
      if (++this.#members > MAX_MEMBERS) throw this.refused(path, `more than ${MAX_MEMBERS} members lie within it`);
      if (!member.name.startsWith("_")) this.#member(type, member, base, path, prefix);
    }
  }

  refused(field: string, problem: string): InvalidValueError {
    return new InvalidValueError(`struct "${this.#struct}"${field === "" ? "" : `, field "${field}"`}: ${problem}`);
  }

  #member(outer: BtfComposite, member: BtfMember, base: number, outerPath: string, prefix: string): void {
    const resolved = this.#btf.typeById(this.#btf.resolve(member.type));
    const { offset, bits } = placeOf(member, resolved);
    if (member.name === "") {
      if (resolved.kind === BtfKind.STRUCT) this.struct(resolved, base + offset, outerPath, prefix);
      if (resolved.kind === BtfKind.UNION) {
        throw this.refused(
          outerPath,
          "an anonymous union has no name for its column: name it, or write one of its members",
        );
      }
      return;
    }
    const path = outerPath === "" ? member.name : `${outerPath}.${member.name}`;
    const shape = fieldShape(this.#btf, member.type, (problem) => this.refused(path, problem));
    const name = `${prefix}${member.name.toLowerCase()}`;
    if (shape === undefined) {
      if (resolved.kind === BtfKind.STRUCT) this.struct(resolved, base + offset, path, `${name}_`);
      return;
    }
    const size = bits === undefined ? this.#btf.sizeOf(member.type) : bytesOfBits(bits);
    if (offset + size > outer.size) throw this.refused(path, `ends past the ${outer.size} bytes of its struct`);
    if (size === 0) {
      throw this.refused(path, `has no length: write the most that it can hold, such as ${member.name}[256]`);
    }
    if (bits !== undefined && !["integer", "boolean", "enum"].includes(shape.encoding)) {
      throw this.refused(path, "only integers, booleans and enums can be bitfields");
    }
    this.#checkName(name, path);
    this.columns.push({ name, ...shape, offset: base + offset, size, ...(bits && { bits }) });
  }

  #checkName(name: string, path: string): void {
    if (!/^[a-z_][a-z0-9_]*$/.test(name)) {
      throw this.refused(path, `"${name}" is no column name: use letters, digits and _, and no digit first`);
    }
    if (name.length > MAX_NAME) {
      throw this.refused(
        path,
        `"${name}" is ${name.length} characters, a column name has at most ${MAX_NAME}: shorten it`,
      );
    }
    const other = this.#fields.get(name);
    if (other !== undefined) {
      throw this.refused(path, `gives the column "${name}", and so does field "${other}": rename one of them`);
    }
    if (this.#fields.size === MAX_COLUMNS) throw this.refused(path, `a record has at most ${MAX_COLUMNS} columns`);
    this.#fields.set(name, path);
  }
}
